"""A folder of weights goes up and comes back: by Xet, or by LFS where the test turned Xet off."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import HfFileSystem, get_hf_file_metadata, hf_hub_url
from safetensors.numpy import load_file, save_file

from tests.wire.scenarios.stage import Facts, Given, api, digests, noise, sha256, tell

LARGE = "weights/model.safetensors"


def story(given: Given) -> Facts:
    repo, folder = given.repo("weights"), given.folder / "up"
    _fill(folder, int(given.values["bytes"]), given.label)
    api.create_repo(repo)
    api.upload_folder(repo_id=repo, folder_path=folder, commit_message="Add weights")
    memory = noise(f"{given.label}-memory", 1_000_000)
    api.upload_file(path_or_fileobj=BytesIO(memory), path_in_repo="memory.bin", repo_id=repo)
    (folder / "memory.bin").write_bytes(memory)
    return {
        **_whole(repo, folder),
        **_parts(repo, folder),
        **_again(repo, folder),
    }


def _fill(folder: Path, size: int, seed: str) -> None:
    """One large file and fifty small ones in folders, with names that need quoting."""
    (folder / "weights").mkdir(parents=True)
    table = np.frombuffer(noise(seed, size // 4 * 4), dtype="<i4").reshape(-1, 1000)
    save_file({"layer.weight": table}, folder / LARGE, metadata={"format": "np"})
    for number in range(50):
        place = folder / f"small/{number % 5} ü" / f"file {number}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{seed} {number}\n" * (number + 1))


def _whole(repo: str, folder: Path) -> Facts:
    fetched = Path(api.snapshot_download(repo))
    tensors = load_file(fetched / LARGE)
    info: Any = api.get_paths_info(repo, [LARGE])[0]
    metadata = get_hf_file_metadata(hf_hub_url(repo, LARGE))
    return {
        "same": digests(fetched) == digests(folder),
        "count": len(digests(fetched)),
        "loaded": list(tensors["layer.weight"].shape)[1],
        "size": info.size == (folder / LARGE).stat().st_size,
        "digest": info.lfs.sha256 == sha256(folder / LARGE),
        "offered_by_xet": metadata.xet_file_data is not None,
    }


def _parts(repo: str, folder: Path) -> Facts:
    fs, whole = HfFileSystem(), (folder / LARGE).read_bytes()
    with fs.open(f"{repo}/{LARGE}", "rb", block_size=100_000) as remote:
        remote.seek(len(whole) // 2)
        middle = remote.read(300_001)
        remote.seek(len(whole) - 1000)
        end = remote.read()
    header = api.parse_safetensors_file_metadata(repo, LARGE)
    return {
        "middle": middle == whole[len(whole) // 2 :][:300_001],
        "end": end == whole[-1000:],
        "tree": sorted(str(name)[len(repo) + 1 :] for name in fs.ls(f"{repo}/small", detail=False)),
        "parameters": header.parameter_count,
    }


def _again(repo: str, folder: Path) -> Facts:
    """What is there already is not sent again."""
    before = api.model_info(repo).sha
    api.upload_folder(repo_id=repo, folder_path=folder, commit_message="Same again")
    return {"no_second_commit": api.model_info(repo).sha == before}


if __name__ == "__main__":
    tell(story)
