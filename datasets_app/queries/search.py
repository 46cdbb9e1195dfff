"""Rows of a split that have certain words."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from django.conf import settings

from datasets_app.models import Artifact
from datasets_app.queries.local_files import on_disk
from datasets_app.serving.pool import pool
from hub.queries.store import blob_store
from hub.storage.large_files import Content, iter_blob

KEPT_INDEXES = 64
"""Unpacked on each machine."""


def searched(
    artifact: Artifact, query: str, offset: int, length: int, caller: str
) -> tuple[int, list[int]]:
    """How many rows have a word of ``query``, and the numbers of the best, from ``offset`` on.

    Raises:
        InvalidParameter: nobody may look that far.
        TooManyQueries: try again later.
    """
    question = {
        "ask": "search",
        "index": str(_unpacked(artifact)),
        "query": query,
        "offset": offset,
        "length": length,
    }
    answer = pool.ask(question, caller)
    numbers: list[int] = np.frombuffer(answer.body, dtype=np.int64).tolist()
    return int(answer.head["total"]), numbers


def _unpacked(artifact: Artifact) -> Path:
    """The folder with the index on this machine; unpacked at the first question."""
    from datasets_app.serving.text_index import unpack  # noqa: PLC0415 - needs tantivy only here

    key = artifact.blob_key
    base: Path = settings.DATA / "cache" / "text"
    home = base / key.rpartition("/")[2]
    if home.is_dir():
        with suppress(OSError):
            home.touch()
        return home
    base.mkdir(parents=True, exist_ok=True)
    store = blob_store()
    size = store.size(key) or 0
    packed = Content(
        key, home.name, size, lambda start, stop: iter_blob(store, key, start, stop), key
    )
    aside = Path(tempfile.mkdtemp(dir=base))
    try:
        unpack(on_disk([packed])[0], aside)
        with suppress(FileExistsError, OSError):
            aside.rename(home)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    _forget_old(base)
    return home


def _forget_old(base: Path) -> None:
    folders = sorted(base.iterdir(), key=lambda folder: -folder.stat().st_mtime)
    for folder in folders[KEPT_INDEXES:]:
        shutil.rmtree(folder, ignore_errors=True)
