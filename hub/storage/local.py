"""BlobStore on a file system: write aside, fsync, link into place."""

import io
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from hub.errors import BlobNotFound
from hub.storage.digests import (
    STAGING,
    checked_key,
    checked_name,
    checked_prefix,
    chunks_of,
    is_key,
    is_name,
)
from hub.storage.links import NoLinks
from hub.storage.ports import Staged
from hub.storage.staging import LocalWriter, fresh_name, full_disk_refused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SLASH: Final = ","
"""What a slash in a staged name becomes: the staging area is one flat folder."""


class LocalStore(NoLinks):
    """Bytes as files under one folder; what is staged lies beside them, on the same file system.

    Any number of processes may use the same folder: the file system settles who was first.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staging = root / STAGING
        self._staging.mkdir(parents=True, exist_ok=True)
        self._lasting: set[Path] = set()
        """Folders whose own names are known to be on the disk."""

    def stage(self, chunks: Iterable[bytes], *, name: str | None = None) -> Staged:
        with self.open_stage(name=name) as writer:
            for chunk in chunks:
                writer.write(chunk)
            return writer.finish()

    def open_stage(self, *, name: str | None = None, hashed: bool = True) -> LocalWriter:
        name = fresh_name() if name is None else name
        return LocalWriter(name, self._aside(name), hashed=hashed)

    def open_staged(self, name: str) -> BinaryIO:
        return io.BufferedReader(_opened(self._aside(name)))

    def join(self, names: Sequence[str]) -> Staged:
        with self.open_stage() as writer:
            for name in names:
                with _opened(self._aside(name)) as part:
                    for chunk in chunks_of(part):
                        writer.write(chunk)
            return writer.finish()

    def publish(self, staged: Staged | str, key: str) -> bool:
        aside = self._aside(staged if isinstance(staged, str) else staged.name)
        home = self._home(key)
        try:
            with full_disk_refused():
                return self._settle(aside, home)
        finally:
            # Also after a failed fsync: the kernel may have let go of the bytes and would call
            # a second fsync of the same file a success.
            aside.unlink(missing_ok=True)

    def abandon(self, name: str) -> None:
        self._aside(name).unlink(missing_ok=True)

    def stale(self, older_than: datetime) -> Iterator[str]:
        limit = older_than.timestamp()
        with os.scandir(self._staging) as entries:
            for entry in entries:
                name = entry.name.replace(_SLASH, "/")
                with suppress(FileNotFoundError):
                    if is_name(name) and entry.stat().st_mtime < limit:
                        yield name

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        if start < 0 or (length is not None and length < 0):
            raise ValueError(f"No range starts at {start} with {length} bytes")
        file = _opened(self._home(key))
        file.seek(start)
        return io.BufferedReader(file if length is None else Window(file, length))

    def size(self, key: str) -> int | None:
        found = self._stat(key)
        return None if found is None else found.st_size

    def published_at(self, key: str) -> datetime | None:
        found = self._stat(key)
        # When they were written, in truth: at most the day earlier that bytes may stay aside.
        return None if found is None else datetime.fromtimestamp(found.st_mtime, UTC)

    def path(self, key: str) -> Path | None:
        home = self._home(key)
        return home if home.is_file() else None

    def drop(self, key: str) -> None:
        # The folders stay: another process may be about to link into them.
        self._home(key).unlink(missing_ok=True)

    def keys(self, prefix: str = "") -> Iterator[str]:
        folder, _, _ = checked_prefix(prefix).rpartition("/")
        start = f"{folder}/" if folder else ""
        return (key for key in _keys_in(self._root / folder, start) if key.startswith(prefix))

    def free_bytes(self) -> int | None:
        return shutil.disk_usage(self._root).free

    def _aside(self, name: str) -> Path:
        return self._staging / checked_name(name).replace("/", _SLASH)

    def _home(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _stat(self, key: str) -> os.stat_result | None:
        try:
            found = self._home(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def _settle(self, aside: Path, home: Path) -> bool:
        """Put on the disk, in this order: the bytes, their name, the folders above the name."""
        first = not home.is_file() and _link(aside, home)
        # Also when another was first: the caller will promise these bytes on our word.
        self._sync_folders_of(home)
        return first

    def _sync_folders_of(self, home: Path) -> None:
        made_lasting = set()
        for folder in home.parents:
            _sync(folder)
            if folder == self._root or folder in self._lasting:
                break
            made_lasting.add(folder)
        self._lasting |= made_lasting


class Window(io.RawIOBase):
    """The next ``length`` bytes of a file, from where it stands."""

    def __init__(self, file: io.FileIO, length: int) -> None:
        self._file = file
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        count = self._file.readinto(memoryview(buffer)[: self._left]) or 0
        self._left -= count
        return count

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
        super().close()


def _opened(path: Path) -> io.FileIO:
    try:
        return path.open("rb", buffering=0)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise BlobNotFound(f"There are no bytes called {path.name}.") from None


def _link(aside: Path, home: Path) -> bool:
    """Give staged bytes their second name, unless it is taken.

    A link never replaces, so of two writers of one key exactly one is first, and a reader sees
    all of a blob or none of it.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    try:
        _sync(aside)
        home.hardlink_to(aside)
    except FileExistsError:
        if home.is_dir():
            raise
        return False
    except FileNotFoundError:
        # Somebody else may have published these very bytes since we looked.
        if home.is_file():
            return False
        raise BlobNotFound(f"Nothing is staged as {aside.name}.") from None
    return True


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keys_in(folder: Path, start: str) -> Iterator[str]:
    """The keys below a folder, in the order of their text; foreign files are passed over."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as found:
        # A folder sorts as its name with a slash, for that is how its keys go on.
        entries = {f"{entry.name}/" if entry.is_dir() else entry.name for entry in found}
    for name in sorted(entries):
        key = start + name
        if not is_key(key.removesuffix("/")):
            continue
        if name.endswith("/"):
            yield from _keys_in(folder / name, key)
        else:
            yield key
