"""The parts of a data file: itself, or the members of a zip file; each may be opened again."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import IO

import pyarrow as pa

from datasets_app.errors import UnreadableFile
from datasets_app.readers import limits, streams
from datasets_app.readers.ports import DataFile, Told


@dataclass(frozen=True, slots=True)
class Part:
    """A stream of rows under a name that errors tell."""

    name: str
    size: int
    """Before it is decompressed."""
    open: Callable[[], AbstractContextManager[IO[bytes]]]


def parts(file: DataFile, told: Told, *suffixes: str) -> list[Part]:
    """What is to be read of a file; of a zip file the members with one of these suffixes.

    Raises:
        UnreadableFile: it is a zip file that cannot be read.
    """
    if not file.name.lower().endswith(".zip"):
        return [Part(file.name, file.size, lambda: streams.opened(file.path, file.name, told))]
    with streams.zipped(file.path, file.name) as archive:
        found = streams.members(archive, file.name)
    kept = [one for one in found if one.filename.lower().endswith(suffixes)]
    return [
        Part(f"{file.name}/{one.filename}", one.compress_size, _opener(file, one.filename, told))
        for one in sorted(kept, key=lambda one: one.filename)
    ]


def _opener(
    file: DataFile, name: str, told: Told
) -> Callable[[], AbstractContextManager[IO[bytes]]]:
    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with streams.zipped(file.path, file.name) as archive:
            one = archive.getinfo(name)
            told(min(one.header_offset + one.compress_size, file.size))
            with streams.member(archive, one, file.name) as stream:
                yield stream

    return opened


class Widen(Exception):
    """A later row has a value that the types so far do not hold: begin again with these."""

    def __init__(self, schema: pa.Schema) -> None:
        super().__init__()
        self.schema = schema


def blocks(stream: IO[bytes], name: str, size: int) -> Iterator[bytes]:
    """Whole lines, about ``size`` bytes at a time.

    Raises:
        UnreadableFile: a line is too long.
    """
    rest = b""
    while piece := stream.read(size):
        block = rest + piece
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        if len(rest) > limits.MAX_LINE:
            raise UnreadableFile(f"{name}: a line is longer than {limits.MAX_LINE:,} bytes.")
        if end:
            yield block[:end]
    if rest:
        yield rest
