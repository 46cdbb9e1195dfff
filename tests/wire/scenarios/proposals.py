"""Somebody who may only read proposes: small and large files, one commit or a folder."""

from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd

from tests.wire.scenarios.stage import Facts, Given, api, digests, noise, read, refusal, tell


def story(given: Given) -> Facts:
    repo = given.values["repo"]
    return {
        **_one_commit(repo, given),
        **_folder(repo, given),
        **_draft(repo),
        "main": sorted(api.list_repo_files(repo)),
        "write": refusal(api.upload_file, path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo),
    }


def _one_commit(repo: str, given: Given) -> Facts:
    large = noise(f"{given.label}-pr", 3_000_000)
    made = api.create_commit(
        repo,
        [CommitOperationAdd("new.txt", b"new\n"), CommitOperationAdd("w.bin", large)],
        commit_message="Add weights",
        commit_description="They are better.",
        create_pr=True,
    )
    num = int(made.pr_num or 0)
    api.upload_file(
        path_or_fileobj=b"more\n", path_in_repo="more.txt", repo_id=repo, revision=made.pr_revision
    )
    found: Any = api.get_discussion_details(repo, num)
    w = Path(api.hf_hub_download(repo, "w.bin", revision=made.pr_revision)).read_bytes()
    refs: Any = api.list_repo_refs(repo, include_pull_requests=True).pull_requests
    return {
        "commit": [made.pr_revision == f"refs/pr/{num}", made.pr_url == found.url],
        "is": [found.title, found.status, found.is_pull_request, found.author, found.target_branch],
        "events": [[event.type, getattr(event, "summary", "")] for event in found.events],
        "git_reference": found.git_reference == made.pr_revision,
        "conflicts": found.conflicting_files,
        "diff": "+new\n" in found.diff and "+more\n" in found.diff,
        "same": w == large,
        "text": read(repo, "more.txt", revision=f"refs/pr/{num}"),
        "refs": f"refs/pr/{num}" in [ref.ref for ref in refs],
        "num": num,
    }


def _folder(repo: str, given: Given) -> Facts:
    folder = given.folder / "proposed"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(noise(f"{given.label}-folder", 2_000_000))
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"{given.label} {number}\n")
    made: Any = api.upload_folder(
        repo_id=repo, folder_path=folder, commit_message="A folder", create_pr=True
    )
    fetched = Path(api.snapshot_download(repo, revision=made.pr_revision))
    mine = digests(folder)
    return {"folder": {k: v for k, v in digests(fetched).items() if k in mine} == mine}


def _draft(repo: str) -> Facts:
    made: Any = api.create_pull_request(repo, "A draft")
    files = api.list_repo_files(repo, revision=made.git_reference)
    return {
        "draft": [made.status, made.is_pull_request, made.diff, sorted(files)],
        "merge": refusal(api.merge_pull_request, repo, made.num),
    }


if __name__ == "__main__":
    tell(story)
