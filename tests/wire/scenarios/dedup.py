"""A file goes up from a client that has never seen any of it; some of it may be known already."""

from tests.wire.scenarios.stage import Facts, Given, api, noise, sha256, tell


def story(given: Given) -> Facts:
    repo, at = given.repo("dedup"), int(given.values["insert_at"])
    content = noise(given.label, int(given.values["bytes"]))
    content = content[:at] + b"!" * (at > 0) + content[at:]
    path = given.folder / "file.bin"
    path.write_bytes(content)
    api.create_repo(repo, exist_ok=True)
    api.upload_file(path_or_fileobj=path, path_in_repo=f"{at}.bin", repo_id=repo)
    back = api.hf_hub_download(repo, f"{at}.bin")
    return {"same": sha256(path) == sha256(type(path)(back))}


if __name__ == "__main__":
    tell(story)
