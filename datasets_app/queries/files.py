"""The bytes of data files where a child may read them: on this machine, as files."""

import os
import shutil
import struct
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hub.errors import EntryNotFound
from hub.models import Repo
from hub.queries.content import content_of
from hub.queries.store import blob_store
from hub.queries.trees import Found, facts_of
from hub.storage.large_files import Content

_PREFIX = "weighhouse-export-"
_STALE_SECONDS = 24 * 3600
_PIECE = 8 * 1024 * 1024
_LISTED = 2 * 1024 * 1024 * 1024
"""Larger archives are not fetched only to see what is in them."""
_DIRECTORY_BYTES = 16 * 1024 * 1024
"""Of a list of members that is read in a worker: it takes some fifteen times as much there."""
_LONG_BYTES = 56 + 20
_END_BYTES = 65_536 + 22 + _LONG_BYTES
"""Within so many bytes of its end a zip file says where its list of members is."""
_UNSAID = 2**32 - 1


def lay_down(content: Content, target: Path, most: int | None = None) -> Path:
    """A file with these bytes: the store's own if it is on this machine, else ``target``."""
    size = content.size if most is None else min(most, content.size)
    path = blob_store().path(content.key) if content.key else None
    if path is not None and size == content.size:
        return path
    with target.open("wb") as file:
        for start in range(0, size, _PIECE):
            for piece in content.read(start, min(start + _PIECE, size)):
                file.write(piece)
    return target


def _sweep() -> None:
    """What whoever was killed left behind is gone after a day."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for one task, that is gone with it."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def members_of(repo: Repo, entry: Found) -> list[str]:
    """The names of the files in a zip file; none if it cannot be read, or has very many."""
    [facts] = facts_of(repo.pk, [entry])
    if facts.size > _LISTED:
        return []
    with workplace() as folder, suppress(zipfile.BadZipFile, EntryNotFound, OSError):
        path = lay_down(content_of(repo, facts), folder / "archive")
        if directory_bytes(path) > _DIRECTORY_BYTES:
            return []
        with zipfile.ZipFile(path) as archive:
            return [one.filename for one in archive.infolist() if not one.is_dir()]
    return []


def directory_bytes(path: Path) -> int:
    """How large a zip file says that its list of members is: so much is read to list them."""
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _END_BYTES, 0))
        tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + 16 > len(tail):
        return 0
    found: int = struct.unpack_from("<L", tail, at + 12)[0]
    # Of a large archive a longer record before it says so.
    if at >= _LONG_BYTES and tail[at - 20 : at - 16] == b"PK\6\7":
        found = max(found % _UNSAID, struct.unpack_from("<Q", tail, at - _LONG_BYTES + 40)[0])
    return found
