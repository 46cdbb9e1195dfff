"""ObjectSpool: the files of one commit on their way to the database, in bounded memory."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

from hub.git.stored import StoredObject

_IN_MEMORY = 16 * 1024 * 1024


class ObjectSpool:
    """Holds deflated objects; beyond 16 MiB their bytes lie in a temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - see close
        self._objects: dict[bytes, tuple[StoredObject, int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, one: StoredObject) -> None:
        """Take an object; a second one of the same id is dropped."""
        if one.oid in self._objects:
            return
        start = self._file.seek(0, 2)
        self._file.write(one.data)
        self._objects[one.oid] = (replace(one, data=b""), start, len(one.data))

    def __iter__(self) -> Iterator[StoredObject]:
        for one, start, length in self._objects.values():
            self._file.seek(start)
            yield replace(one, data=self._file.read(length))

    def __len__(self) -> int:
        return len(self._objects)
