"""Branches and tags, with slashes in their names, and squashing."""

from tests.wire.scenarios.stage import Facts, Given, api, read, refusal, tell


def story(given: Given) -> Facts:
    repo = given.repo("refs")
    api.create_repo(repo)
    first = api.upload_file(path_or_fileobj=b"one", path_in_repo="a.txt", repo_id=repo)
    api.upload_file(path_or_fileobj=b"two", path_in_repo="a.txt", repo_id=repo)
    return {**_branches(repo, first.oid), **_tags(repo, first.oid), **_squashed(repo)}


def _branches(repo: str, first: str) -> Facts:
    api.create_branch(repo, branch="dev")
    api.create_branch(repo, branch="a/b", revision=first)
    api.create_branch(repo, branch="a/b", exist_ok=True)
    api.upload_file(path_or_fileobj=b"on a/b", path_in_repo="d/é.txt", repo_id=repo, revision="a/b")
    facts = {
        "again": refusal(api.create_branch, repo, branch="dev"),
        "from_nothing": refusal(api.create_branch, repo, branch="x", revision="nothing"),
        "bad_name": refusal(api.create_branch, repo, branch="refs/x"),
        "on_branch": read(repo, "d/é.txt", revision="a/b"),
        "old_on_branch": read(repo, "a.txt", revision="a/b"),
        "branches": sorted(ref.name for ref in api.list_repo_refs(repo).branches),
        "on_main": api.file_exists(repo, "d/é.txt"),
        "revisions": [api.revision_exists(repo, name) for name in ("a/b", first, "nothing")],
        "delete_main": refusal(api.delete_branch, repo, branch="main"),
        "delete_missing": refusal(api.delete_branch, repo, branch="nothing"),
        "to_missing": refusal(
            api.upload_file,
            path_or_fileobj=b"x",
            path_in_repo="x.txt",
            repo_id=repo,
            revision="nothing",
        ),
    }
    api.delete_branch(repo, branch="a/b")
    return {**facts, "left": sorted(ref.name for ref in api.list_repo_refs(repo).branches)}


def _tags(repo: str, first: str) -> Facts:
    api.create_tag(repo, tag="v/1", revision=first[:8], tag_message="The first")
    api.create_tag(repo, tag="v2")
    facts = {
        "tags": {ref.name: ref.target_commit == first for ref in api.list_repo_refs(repo).tags},
        "tag_again": refusal(api.create_tag, repo, tag="v2"),
        "tag_of_nothing": refusal(api.create_tag, repo, tag="v3", revision="nothing"),
        "at_tag": read(repo, "a.txt", revision="v/1"),
        "info_at_tag": api.model_info(repo, revision="v/1").sha == first,
    }
    api.delete_tag(repo, tag="v/1")
    return {**facts, "delete_tag_again": refusal(api.delete_tag, repo, tag="v/1")}


def _squashed(repo: str) -> Facts:
    files = api.list_repo_files(repo)
    before = len(api.list_repo_commits(repo))
    api.super_squash_history(repo, commit_message="All in one")
    after = [commit.title for commit in api.list_repo_commits(repo)]
    return {"squashed": [before, after, files == api.list_repo_files(repo)]}


if __name__ == "__main__":
    tell(story)
