"""Repos: create, settings, move, duplicate, delete, and what is said about each clash."""

from typing import Any

from huggingface_hub import HfApi

from tests.wire.scenarios.stage import VERSION, Facts, Given, api, read, refusal, tell


def story(given: Given) -> Facts:
    return {**_created(given), **_settings(given), **_moved(given), **_deleted(given)}


def _created(given: Given) -> Facts:
    repo = given.repo("made")
    url = api.create_repo(repo)
    hidden = api.create_repo(given.repo("hidden"), private=True)
    data = api.create_repo(given.repo("data"), repo_type="dataset")
    space = api.create_repo(given.repo("space"), repo_type="space", space_sdk="static")
    ours = api.create_repo(f"acme/made-{given.label}")
    return {
        "url": str(url),
        "private": [api.repo_info(url.repo_id).private, api.repo_info(hidden.repo_id).private],
        "again": refusal(api.create_repo, repo),
        "exist_ok": str(api.create_repo(repo, exist_ok=True)),
        "dataset": [data.repo_type, api.dataset_info(data.repo_id).author],
        "space": api.space_info(space.repo_id).sdk,
        "organisation": [ours.repo_id, api.model_info(ours.repo_id).author],
        "first_commit": [commit.title for commit in api.list_repo_commits(repo)],
        "first_files": api.list_repo_files(repo),
        "no_namespace": refusal(api.create_repo, f"nobody-{given.label}/x"),
        "exists": [api.repo_exists(repo), api.repo_exists(given.repo("none"))],
        "exists_nowhere_signed_out": HfApi(token=False).repo_exists(hidden.repo_id),
        "missing": refusal(api.repo_info, given.repo("none")),
        "mixed_case": api.model_info(repo.replace("made", "MADE")).id,
    }


def _settings(given: Given) -> Facts:
    repo = given.repo("made")
    api.update_repo_settings(repo, private=True)
    hidden = api.repo_info(repo).private
    api.update_repo_settings(repo, private=False, gated="manual")
    gated = api.repo_info(repo).gated
    api.update_repo_settings(repo, gated=False)
    return {"settings": [hidden, gated, api.repo_info(repo).private, api.repo_info(repo).gated]}


def _moved(given: Given) -> Facts:
    old, new = given.repo("old"), given.repo("new")
    api.create_repo(old)
    api.upload_file(path_or_fileobj=b"before", path_in_repo="a.txt", repo_id=old)
    api.move_repo(old, new)
    clash = refusal(api.move_repo, new, given.repo("made"))
    info = api.model_info(old)
    before = read(old, "a.txt")
    api.upload_file(path_or_fileobj=b"after", path_in_repo="b.txt", repo_id=old)
    return {
        "move_clash": clash,
        "old_name": [info.id == new, before, "b.txt" in api.list_repo_files(new)],
        "old_name_listed": api.list_repo_files(old) == api.list_repo_files(new),
        "duplicate": _duplicated(new, given.repo("copy")),
    }


def _duplicated(source: str, copy: str) -> Any:
    if not hasattr(api, "duplicate_repo"):
        return None
    made = api.duplicate_repo(source, copy)
    same = api.list_repo_files(source) == api.list_repo_files(copy)
    return [made.repo_id == copy, same, refusal(api.duplicate_repo, source, copy)["status"]]


def _deleted(given: Given) -> Facts:
    repo = given.repo("gone")
    api.create_repo(repo)
    api.auth_check(repo)
    if VERSION >= (1, 0):
        api.auth_check(repo, write=True)
    api.delete_repo(repo)
    api.delete_repo(repo, missing_ok=True)
    return {"deleted": refusal(api.delete_repo, repo), "check_gone": refusal(api.auth_check, repo)}


if __name__ == "__main__":
    tell(story)
