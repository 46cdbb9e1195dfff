"""Who am I, with a good token, a bad one and none."""

from huggingface_hub import HfApi

from tests.wire.scenarios.stage import Facts, Given, api, refusal, tell


def story(given: Given) -> Facts:
    me = api.whoami()
    return {
        "name": me["name"],
        "orgs": [org["name"] for org in me["orgs"]],
        "role": me["auth"]["accessToken"]["role"],
        "forged": refusal(HfApi(token="hf_" + "x" * 34).whoami),
        "organisation": [user.username for user in api.list_organization_members("acme")],
        "overview": api.get_user_overview(me["name"]).username,
        "organisation_overview": api.get_organization_overview("acme").name,
        "followers": [one.username for one in api.list_user_followers(me["name"])],
        "following": [one.username for one in api.list_user_following("cleo")],
        "counted": api.get_user_overview(me["name"]).num_followers,
        "repos": _repos(given),
    }


def _repos(given: Given) -> bool:
    """One's own repos with their storage; release 0.36 does not know how to ask."""
    mine, ours = given.repo("mine"), f"acme/ours-{given.label}"
    api.create_repo(mine)
    api.create_repo(ours)
    if not hasattr(api, "list_user_repos"):
        return True
    listed = {one.id for one in api.list_user_repos()}
    listed |= {one.id for one in api.list_user_repos(namespace="acme")}
    return {mine, ours} <= listed


if __name__ == "__main__":
    tell(story)
