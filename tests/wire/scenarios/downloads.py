"""Caches: nothing is fetched twice, half a file is finished, and absence is remembered."""

from pathlib import Path

from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.file_download import http_get
from huggingface_hub.utils._headers import build_hf_headers

from tests.wire.scenarios.stage import Facts, Given, api, noise, refusal, tell

SIZE = 3_000_000


def story(given: Given) -> Facts:
    repo, weights = given.repo("cache"), noise(given.label, SIZE)
    (given.folder / "w.bin").write_bytes(weights)
    api.create_repo(repo)
    api.upload_file(path_or_fileobj=b"one", path_in_repo="a.txt", repo_id=repo)
    api.upload_file(path_or_fileobj=given.folder / "w.bin", path_in_repo="w.bin", repo_id=repo)
    return {
        **_cached(repo, given.folder),
        **_absent(repo),
        **_resumed(repo, given.folder / "half.bin", weights),
    }


def _cached(repo: str, folder: Path) -> Facts:
    first = Path(api.hf_hub_download(repo, "a.txt"))
    again = Path(api.hf_hub_download(repo, "a.txt"))
    api.upload_file(path_or_fileobj=b"two", path_in_repo="a.txt", repo_id=repo)
    changed = Path(api.hf_hub_download(repo, "a.txt"))
    local = Path(api.hf_hub_download(repo, "a.txt", local_dir=folder / "here"))
    api.hf_hub_download(repo, "a.txt", local_dir=folder / "here")
    return {
        "same_place": first == again,
        "texts": [first.read_text(), changed.read_text(), local.read_text()],
        "local": local.relative_to(folder).as_posix(),
    }


def _absent(repo: str) -> Facts:
    refused = refusal(api.hf_hub_download, repo, "absent.txt")
    remembered = [path.name for path in Path(HF_HUB_CACHE).glob("*/.no_exist/*/*")]
    return {"absent": refused, "remembered": remembered}


def _resumed(repo: str, half: Path, weights: bytes) -> Facts:
    """Finish a file whose first part is there, as the client does after a broken connection."""
    url = hf_hub_url(repo, "w.bin")
    metadata = get_hf_file_metadata(url)
    half.write_bytes(weights[: SIZE // 3])
    with half.open("ab") as file:
        http_get(
            url,
            file,
            resume_size=SIZE // 3,
            headers=build_hf_headers(),
            expected_size=metadata.size,
        )
    return {"resumed": half.read_bytes() == weights, "size": metadata.size}


if __name__ == "__main__":
    tell(story)
