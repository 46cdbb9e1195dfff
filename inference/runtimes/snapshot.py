"""A model's files on this machine: fetched by the hub's own client, compared with their digests.

Only what cannot hold code is fetched: safetensors, JSON and plain text. A folder with a commit's
name is whole and verified; it is made aside and renamed.
"""

import hashlib
import json
import math
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import structlog

from inference.errors import ModelNotServed, WorkerFailed
from inference.runtimes.ports import ModelRef

log = structlog.get_logger(__name__)

SAFE = ("*.safetensors", "*.json", "*.txt", "*.model")
LEADS_AWAY = ("adapter_config.json", "**/adapter_config.json")
"""It names another model by its path, and transformers would load that one in place of this."""
_CHUNK = 1 << 20
_MAX_HEADER = 100_000_000
_JUST_NOW = 600.0
_LONG_AGO = 24 * 3600.0


class Snapshots:
    """The models that lie below ``home``, fetched from the hub at ``endpoint``."""

    def __init__(self, home: Path, endpoint: str, *, most: int = 0) -> None:
        self._home = home
        self._endpoint = endpoint
        self._most = most

    def has(self, ref: ModelRef) -> bool:
        """Whether they are here; to ask is to use them."""
        try:
            os.utime(self._folder(ref))
        except FileNotFoundError:
            return False
        return True

    def folder(self, ref: ModelRef, token: str = "") -> Path:
        """Answer the folder of a model's files; fetch them with ``token`` if they are not here.

        Raises:
            ModelNotServed: what came is not what the hub says it should be.
            WorkerFailed: the hub does not answer, or gives nothing to this token.
        """
        folder = self._folder(ref)
        if not self.has(ref):
            self._fetch(ref, folder, token)
            prune(self._home, self._most)
        return folder

    def _folder(self, ref: ModelRef) -> Path:
        return folder_of(self._home, ref)

    def _fetch(self, ref: ModelRef, folder: Path, token: str) -> None:
        # Only the worker fetches, and web must start without the client.
        from httpx import HTTPError  # noqa: PLC0415 - the client's
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
            if not folder.is_dir():
                aside.rename(folder)
        except (OSError, HTTPError) as problem:
            # The hub is away or says no, or the disk is full.
            log.warning("model_not_fetched", model=str(ref), reason=str(problem))
            told = " ".join(str(problem).split())[:300]
            raise WorkerFailed(f"The model could not be fetched: {told}") from None
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        log.info("model_fetched", model=str(ref))


def folder_of(home: Path, ref: ModelRef) -> Path:
    """Where a model's files lie below ``home``."""
    return home / ref.repo.replace("/", "--").lower() / ref.commit


def prune(home: Path, most: int) -> list[Path]:
    """Delete what was used least recently until no more than ``most`` bytes lie below ``home``.

    What was used a moment ago stays: it may just be read. 0 keeps all. Answers what it deleted.
    """
    _sweep(home)
    folders = sorted(
        (folder for folder in home.glob("*/*") if not folder.name.startswith(".")),
        key=lambda folder: folder.stat().st_mtime,
    )
    held = {folder: _bytes_in(folder) for folder in folders} if most else {}
    total, gone = sum(held.values()), []
    for folder, size in held.items():
        if total <= most or time.time() - folder.stat().st_mtime < _JUST_NOW:
            break
        _delete(folder)
        total -= size
        gone.append(folder)
        log.info("model_files_deleted", folder=folder.name, bytes=size)
    return gone


def _delete(folder: Path) -> None:
    """At once out of sight: nobody is to find half of it."""
    aside = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
    folder.rename(aside / folder.name)
    shutil.rmtree(aside, ignore_errors=True)


def _sweep(home: Path) -> None:
    """What a fetch or a deletion left that was killed."""
    for left in home.glob("*/.*-*"):
        if time.time() - left.stat().st_mtime > _LONG_AGO:
            shutil.rmtree(left, ignore_errors=True)


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def numbers_in(folder: Path) -> int:
    """How many numbers the weights in a folder are: what they will hold, whatever the width."""
    return sum(_numbers(file) for file in folder.rglob("*.safetensors"))


def _numbers(file: Path) -> int:
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        try:
            told = json.loads(stream.read(min(length, _MAX_HEADER)))
            shapes = [one["shape"] for name, one in told.items() if name != "__metadata__"]
            return sum(math.prod(shape) for shape in shapes)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return file.stat().st_size


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
