"""Histories as git fast-import reads them: many small files, then commits of one edit each."""

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILES_A_FOLDER = 100
POINTER_BYTES = 133
"""Nine of ten files are as long as what git keeps of a large file, and the tenth is text."""
TEXT_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Shape:
    """How much a history holds: each edit makes a commit, three trees and a file."""

    folders: int
    edits: int

    @property
    def files(self) -> int:
        return self.folders * FILES_A_FOLDER

    @property
    def objects(self) -> int:
        return self.files + self.folders + 6 + 5 * self.edits


def git(*arguments: str, at: Path, stdin: bytes | None = None) -> str:
    """Run git; its own settings and those of this machine do not count."""
    done = subprocess.run(
        ["git", *arguments], cwd=at, env=_ENVIRON, input=stdin, capture_output=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.decode()[-2000:]}")
    return done.stdout.decode().strip()


_ENVIRON = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


def fill(folder: Path, shape: Shape, *, seed: int = 1) -> Path:
    """Put a history on top of what a bare repository has; packed as tightly as git can."""
    stream = b"".join(_commits(shape, random.Random(seed)))
    git("fast-import", "--quiet", "--force", at=folder, stdin=stream)
    git("repack", "-adfq", at=folder)
    return folder


def add_commit(folder: Path, seed: int, branch: str = "main", files: int = 1) -> None:
    """One more commit on a branch, of new files."""
    chance = random.Random(seed)
    head = git("rev-parse", "main", at=folder)
    parts = [_head(seed + 1_800_000_000, branch), f"from {head}\n".encode()]
    parts += [_file(f"new/{seed}/{number}.txt", _text(chance, 1)) for number in range(files)]
    git("fast-import", "--quiet", "--force", at=folder, stdin=b"".join(parts))


def _commits(shape: Shape, chance: random.Random) -> Iterator[bytes]:
    yield _head(1_700_000_000, "main") + b"from refs/heads/main^0\n"
    for number in range(shape.files):
        yield _file(_path(number), _text(chance, number))
    for edit in range(shape.edits):
        yield _head(1_700_000_001 + edit, "main")
        number = chance.randrange(shape.files)
        yield _file(_path(number), _text(chance, number))


def _head(when: int, branch: str) -> bytes:
    return (
        f"commit refs/heads/{branch}\ncommitter Ada <ada@example.org> {when} +0000\ndata 4\nEdit\n"
    ).encode()


def _file(path: str, text: bytes) -> bytes:
    return f"M 100644 inline {path}\ndata {len(text)}\n".encode() + text + b"\n"


def _path(number: int) -> str:
    folder, file = divmod(number, FILES_A_FOLDER)
    return f"data/part-{folder:03}/{file:03}.bin"


def _text(chance: random.Random, number: int) -> bytes:
    if number % 10:
        return chance.randbytes(POINTER_BYTES // 2).hex().encode()
    return b"\n".join(
        b"line %d of a text" % chance.randrange(1000) for _ in range(TEXT_BYTES // 18)
    )
