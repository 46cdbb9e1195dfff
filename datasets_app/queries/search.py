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
from hub.models import Repo
from hub.queries.content import large_content

KEPT_INDEXES = 64
"""Unpacked on each machine."""


def searched(
    repo: Repo, artifact: Artifact, query: str, page: tuple[int, int], caller: str
) -> tuple[int, list[int]]:
    """How many rows have a word of ``query``, and the numbers of the best.

    ``page`` is how many to leave out, and how many to answer.

    Raises:
        InvalidParameter: nobody may look that far.
        TooManyQueries: try again later.
    """
    question = {
        "ask": "search",
        "index": str(_unpacked(repo, artifact.blob_key)),
        "query": query,
        "offset": page[0],
        "length": page[1],
    }
    answer = pool.ask(question, caller)
    numbers: list[int] = np.frombuffer(answer.body, dtype=np.int64).tolist()
    return int(answer.head["total"]), numbers


def _unpacked(repo: Repo, sha256: str) -> Path:
    """The folder with the index on this machine; unpacked at the first question."""
    from datasets_app.serving.text_index import unpack  # noqa: PLC0415 - needs tantivy only here

    base: Path = settings.DATA / "cache" / "text"
    home = base / sha256
    if home.is_dir():
        with suppress(OSError):
            home.touch()
        return home
    base.mkdir(parents=True, exist_ok=True)
    packed = large_content(repo, bytes.fromhex(sha256), sha256)
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
