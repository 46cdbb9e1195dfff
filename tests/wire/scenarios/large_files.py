"""Large files of a repo: list them, and delete one for good, from history too."""

from tests.wire.scenarios.stage import Facts, Given, api, noise, refusal, tell


def story(given: Given) -> Facts:
    repo = given.repo("large")
    api.create_repo(repo)
    for name in ("one.bin", "two.bin"):
        content = noise(f"{given.label}{name}", 20_000)
        (given.folder / name).write_bytes(content)
        api.upload_file(path_or_fileobj=given.folder / name, path_in_repo=name, repo_id=repo)
    listed = sorted(api.list_lfs_files(repo), key=lambda file: file.filename)
    api.permanently_delete_lfs_files(repo, listed[:1])
    return {
        "listed": [[file.filename, file.size, file.ref] for file in listed],
        "left": [file.filename for file in api.list_lfs_files(repo)],
        "files": sorted(api.list_repo_files(repo)),
        "gone": refusal(api.hf_hub_download, repo, "one.bin"),
    }


if __name__ == "__main__":
    tell(story)
