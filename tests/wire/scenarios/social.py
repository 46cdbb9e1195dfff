"""Likes: whose, of what, and taken back."""

from tests.wire.scenarios.stage import Facts, Given, api, tell


def story(given: Given) -> Facts:
    """The test has liked the repo before: the client itself can only unlike."""
    repo = given.values["liked"]
    before = {
        "likers": [user.username for user in api.list_repo_likers(repo)],
        "liked": repo in api.list_liked_repos().models,
        "count": api.model_info(repo).likes,
    }
    api.unlike(repo)
    return {
        **before,
        "likers_after": [user.username for user in api.list_repo_likers(repo)],
        "liked_after": repo in api.list_liked_repos(given.me).models,
        "count_after": api.model_info(repo).likes,
    }


if __name__ == "__main__":
    tell(story)
