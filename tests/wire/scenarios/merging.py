"""The owner merges what others proposed, and is told where that can't be."""

from typing import Any

from huggingface_hub import CommitOperationAdd

from tests.wire.scenarios.stage import Facts, Given, api, read, refusal, tell


def story(given: Given) -> Facts:
    repo = given.repo("merging")
    api.create_repo(repo)
    _commit(repo, "a.txt", "one\n")
    fast, true, clash = (
        _propose(repo, path, text)
        for path, text in (("b.txt", "b\n"), ("c.txt", "c\n"), ("a.txt", "theirs\n"))
    )
    api.merge_pull_request(repo, fast, comment="Thanks!")
    api.merge_pull_request(repo, true)
    _commit(repo, "a.txt", "ours\n")
    return {
        "fast": _shown(repo, fast),
        "true": _shown(repo, true),
        "clash": _shown(repo, clash),
        "conflict": refusal(api.merge_pull_request, repo, clash),
        "again": refusal(api.merge_pull_request, repo, fast),
        "add": refusal(
            api.upload_file,
            path_or_fileobj=b"x",
            path_in_repo="x.txt",
            repo_id=repo,
            revision=f"refs/pr/{fast}",
        ),
        "stale": refusal(_propose, repo, "d.txt", "d", parent_commit="1" * 40),
        "from_nothing": refusal(_propose, repo, "d.txt", "d", revision="nothing"),
        "titles": [commit.title for commit in api.list_repo_commits(repo)],
        "texts": [read(repo, path) for path in ("a.txt", "b.txt", "c.txt")],
        "of_pr": [one.title for one in api.list_repo_commits(repo, revision=f"refs/pr/{clash}")],
    }


def _commit(repo: str, path: str, text: str) -> None:
    api.upload_file(path_or_fileobj=text.encode(), path_in_repo=path, repo_id=repo)


def _propose(repo: str, path: str, text: str, **more: Any) -> int:
    operations = [CommitOperationAdd(path, text.encode())]
    message = f"Change {path}"
    made = api.create_commit(repo, operations, commit_message=message, create_pr=True, **more)
    return int(made.pr_num or 0)


def _shown(repo: str, num: int) -> Facts:
    found: Any = api.get_discussion_details(repo, num)
    return {
        "status": found.status,
        "merged": len(found.merge_commit_oid or ""),
        "conflicts": found.conflicting_files,
        "diff": found.diff,
        "events": [event.type for event in found.events],
    }


if __name__ == "__main__":
    tell(story)
