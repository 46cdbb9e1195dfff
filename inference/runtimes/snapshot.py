"""A model's files on this machine: fetched by the hub's own client, compared with their digests.

Only what cannot hold code is fetched: safetensors, JSON and plain text. A folder with a commit's
name is whole and verified; it is made aside and renamed.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

import structlog

from inference.errors import ModelNotServed
from inference.runtimes.ports import ModelRef

log = structlog.get_logger(__name__)

SAFE = ("*.safetensors", "*.json", "*.txt", "*.model")
LEADS_AWAY = ("adapter_config.json", "**/adapter_config.json")
"""It names another model by its path, and transformers would load that one in place of this."""
_CHUNK = 1 << 20


class Snapshots:
    """The models that lie below ``home``, fetched from the hub at ``endpoint``."""

    def __init__(self, home: Path, endpoint: str) -> None:
        self._home = home
        self._endpoint = endpoint

    def has(self, ref: ModelRef) -> bool:
        return self._folder(ref).is_dir()

    def folder(self, ref: ModelRef, token: str = "") -> Path:
        """Answer the folder of a model's files; fetch them with ``token`` if they are not here.

        Raises:
            ModelNotServed: what came is not what the hub says it should be.
            OSError: the hub does not answer, or gives nothing to this token.
        """
        folder = self._folder(ref)
        if not folder.is_dir():
            self._fetch(ref, folder, token)
        return folder

    def _folder(self, ref: ModelRef) -> Path:
        return self._home / ref.repo.replace("/", "--").lower() / ref.commit

    def _fetch(self, ref: ModelRef, folder: Path, token: str) -> None:
        # Only the worker fetches, and web must start without the client.
        from huggingface_hub import HfApi  # noqa: PLC0415
        from huggingface_hub.utils.tqdm import disable_progress_bars  # noqa: PLC0415

        # A log of lines has no room for bars.
        disable_progress_bars()

        folder.parent.mkdir(parents=True, exist_ok=True)
        api = HfApi(endpoint=self._endpoint, token=token or False)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        try:
            api.snapshot_download(
                ref.repo,
                revision=ref.commit,
                local_dir=aside,
                allow_patterns=list(SAFE),
                ignore_patterns=list(LEADS_AWAY),
            )
            shutil.rmtree(aside / ".cache", ignore_errors=True)
            _verify(aside, api.list_repo_tree(ref.repo, revision=ref.commit, recursive=True))
            aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        log.info("model_fetched", model=str(ref))


def _verify(folder: Path, entries: Any) -> None:
    """Compare each file with the digest that the commit names for it."""
    told = {entry.path: entry for entry in entries if hasattr(entry, "blob_id")}
    for file in (path for path in folder.rglob("*") if path.is_file()):
        entry = told.get(file.relative_to(folder).as_posix())
        if entry is None or not _is(file, entry):
            raise ModelNotServed(f"{file.name} is not what the commit says it is.")


def _is(file: Path, entry: Any) -> bool:
    if entry.lfs is not None:
        return bool(_digest(file, hashlib.sha256()) == entry.lfs.sha256)
    head = f"blob {file.stat().st_size}\0".encode()
    return bool(_digest(file, hashlib.sha1(head, usedforsecurity=False)) == entry.blob_id)


def _digest(file: Path, hashed: Any) -> str:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            hashed.update(chunk)
    digest: str = hashed.hexdigest()
    return digest
