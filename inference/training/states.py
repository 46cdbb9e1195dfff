"""A checkpoint as one file: what a training saved, written aside and renamed."""

import io
import tarfile
from pathlib import Path

from inference.training.ports import TrainingFailed

_MOST_FILES = 1000


def pack(folder: Path, file: Path) -> None:
    """Write the files of a flat ``folder`` into one; it is whole or not there."""
    aside = file.with_suffix(".part")
    with tarfile.open(aside, "w") as packed:
        for one in sorted(folder.iterdir()):
            told = tarfile.TarInfo(one.name)
            told.size = one.stat().st_size
            with one.open("rb") as stream:
                packed.addfile(told, stream)
    aside.rename(file)


def unpack(file: Path, folder: Path) -> None:
    """Put what was packed into ``folder``.

    Raises:
        TrainingFailed: it is no checkpoint of ours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(file, "r:") as packed:
            members = packed.getmembers()[:_MOST_FILES]
            for member in members:
                name = Path(member.name).name
                stream = packed.extractfile(member)
                if stream is None or name != member.name:
                    raise TrainingFailed("bad_checkpoint", "The checkpoint is none of ours.")
                with (folder / name).open("wb") as written:
                    while chunk := stream.read(io.DEFAULT_BUFFER_SIZE * 128):
                        written.write(chunk)
    except tarfile.TarError as problem:
        raise TrainingFailed("bad_checkpoint", f"The checkpoint is damaged: {problem}") from None
