"""Files of a split on this machine's disk: where they lie, or a copy that is kept for a while."""

import os
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from io import RawIOBase
from pathlib import Path

from django.conf import settings

from hub.queries.store import blob_store
from hub.storage.large_files import Content

KEEP_BYTES = 20 * 1024**3
"""Of copies, on each machine."""
_STEP_BYTES = 8 * 1024 * 1024


class ContentReader(RawIOBase):
    """Random reads of a file that does not lie on this machine as one."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._content.size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def size(self) -> int:
        return self._content.size

    def read(self, size: int | None = -1) -> bytes:
        left = max(self._content.size - self._at, 0)
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        found = b"".join(self._content.read(self._at, self._at + wanted))
        self._at += len(found)
        return found


def path_of(content: Content) -> Path | None:
    """Where a file lies on this machine as one, if it does."""
    return blob_store().path(content.key) if content.key else None


def on_disk(contents: Sequence[Content]) -> list[Path]:
    """A path for each file; those that lie elsewhere are copied here first."""
    found = [path_of(content) or _copied(content) for content in contents]
    _forget_old(_folder(), set(found))
    return found


def _copied(content: Content) -> Path:
    home = _folder() / content.etag
    with suppress(FileNotFoundError):
        os.utime(home)
        return home
    with tempfile.NamedTemporaryFile(dir=home.parent, delete=False) as aside:
        try:
            for start in range(0, content.size, _STEP_BYTES):
                stop = min(start + _STEP_BYTES, content.size)
                aside.writelines(content.read(start, stop))
        except BaseException:
            Path(aside.name).unlink(missing_ok=True)
            raise
    Path(aside.name).replace(home)
    return home


def _folder() -> Path:
    folder: Path = settings.DATA / "cache" / "rows"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _forget_old(folder: Path, wanted: Collection[Path]) -> None:
    """Delete the copies that were used longest ago, beyond what may be kept."""
    with suppress(FileNotFoundError):
        entries = [(entry.stat(), Path(entry.path)) for entry in os.scandir(folder)]
        left = sum(stat.st_size for stat, _ in entries) - KEEP_BYTES
        for stat, path in sorted(entries, key=lambda entry: entry[0].st_mtime):
            if left <= 0:
                return
            if path not in wanted and path.is_file():
                path.unlink(missing_ok=True)
                left -= stat.st_size
