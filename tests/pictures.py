"""A dataset of small pictures with labels, as somebody uploads one."""

import io

import numpy as np
from huggingface_hub import CommitOperationAdd, HfApi
from PIL import Image

SHADES = {"dark": 60, "light": 200}


def picture_of(shade: int, seed: int, edge: int = 16) -> bytes:
    """A square of one shade with some noise, as PNG."""
    noise = np.random.default_rng(seed).integers(-20, 20, (edge, edge, 3))
    aside = io.BytesIO()
    Image.fromarray((noise + shade).clip(0, 255).astype(np.uint8)).save(aside, "PNG")
    return aside.getvalue()


def push_pictures(
    api: HfApi, name: str, *, each: int = 20, broken: int = 0, private: bool = False
) -> str:
    """Make a dataset with a folder for each label; the first ``broken`` pictures are none."""
    api.create_repo(name, repo_type="dataset", private=private, exist_ok=True)
    files = {
        f"train/{label}/{at}.png": b"no picture" if at < broken else picture_of(shade, at)
        for label, shade in SHADES.items()
        for at in range(each)
    }
    api.create_commit(
        name,
        [CommitOperationAdd(path, raw) for path, raw in files.items()],
        commit_message="Add pictures",
        repo_type="dataset",
    )
    return name
