"""Commits of many operations, stale parents, and how trees and histories are listed."""

from io import BytesIO
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

from tests.wire.scenarios.stage import Facts, Given, api, noise, read, refusal, sha256, tell

Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete


def story(given: Given) -> Facts:
    repo = given.repo("commits")
    api.create_repo(repo)
    first = _first(repo, noise(given.label, 40_000))
    second = _second(repo, first)
    return {
        **_after(repo, first, second),
        **_refused(repo, first),
        **_listed(repo),
    }


def _first(repo: str, weights: bytes) -> str:
    add: list[Operation] = [
        CommitOperationAdd("README.md", b"# Hello\n"),
        CommitOperationAdd("old/one.txt", b"1"),
        CommitOperationAdd("old/two.txt", b"2"),
        CommitOperationAdd("keep/three.txt", b"3"),
        CommitOperationAdd("w.bin", BytesIO(weights)),
    ]
    return api.create_commit(repo, add, commit_message="Five\n\nand a body").oid


def _second(repo: str, parent: str) -> str:
    operations: list[Operation] = [
        CommitOperationAdd("keep/four.txt", b"4"),
        CommitOperationDelete("README.md"),
        CommitOperationDelete("old/"),
        CommitOperationCopy("w.bin", "copies/w.bin"),
        CommitOperationCopy("keep/three.txt", "copies/three.txt"),
    ]
    made = api.create_commit(
        repo, operations, commit_message="Everything at once", parent_commit=parent
    )
    return made.oid


def _after(repo: str, first: str, second: str) -> Facts:
    copies = [api.hf_hub_download(repo, name) for name in ("w.bin", "copies/w.bin")]
    again = api.create_commit(
        repo, [CommitOperationAdd("keep/four.txt", b"4")], commit_message="Nothing new"
    )
    return {
        "files": sorted(api.list_repo_files(repo)),
        "copied": len({sha256(Path(copy)) for copy in copies}) == 1,
        "copied_text": read(repo, "copies/three.txt"),
        "old_commit": read(repo, "old/one.txt", revision=first),
        "short_commit": api.model_info(repo, revision=second[:7]).sha == second,
        "nothing_new": again.oid == second,
        "titles": [commit.title for commit in api.list_repo_commits(repo)],
        "body": api.list_repo_commits(repo)[1].message,
        "authors": api.list_repo_commits(repo)[0].authors,
    }


def _refused(repo: str, first: str) -> Facts:
    late: list[Operation] = [CommitOperationAdd("late.txt", b"late")]
    gone: list[Operation] = [CommitOperationDelete("never.txt")]
    return {
        "stale": refusal(api.create_commit, repo, late, commit_message="Late", parent_commit=first),
        "delete_missing": refusal(api.create_commit, repo, gone, commit_message="Delete"),
        "missing_entry": refusal(api.hf_hub_download, repo, "never.txt"),
        "missing_revision": refusal(api.hf_hub_download, repo, "w.bin", revision="never"),
        "missing_repo": refusal(api.hf_hub_download, repo + "-never", "w.bin"),
        "missing_tree": refusal(api.list_repo_tree, repo, "never"),
        "exists": [api.file_exists(repo, "w.bin"), api.file_exists(repo, "never.txt")],
        "untouched": sorted(api.list_repo_files(repo)),
    }


def _listed(repo: str) -> Facts:
    top = {entry.path: entry for entry in api.list_repo_tree(repo)}
    below = [entry.path for entry in api.list_repo_tree(repo, "keep")]
    deep = list(api.list_repo_tree(repo, recursive=True, expand=True))
    found = api.get_paths_info(repo, ["w.bin", "keep", "never"], expand=True)
    large: Any = next(entry for entry in found if entry.path == "w.bin")
    return {
        "top": {path: type(entry).__name__ for path, entry in top.items()},
        "below": below,
        "deep": sorted(entry.path for entry in deep),
        "last_commits": {e.path: e.last_commit.title for e in deep if e.last_commit is not None},
        "unexpanded": all(entry.last_commit is None for entry in top.values()),
        "found": sorted(entry.path for entry in found),
        "large": [large.size, len(large.lfs.sha256)],
        "blob_id": getattr(next(e for e in deep if e.path == "keep/three.txt"), "blob_id", ""),
    }


if __name__ == "__main__":
    tell(story)
