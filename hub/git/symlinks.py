"""Where a symbolic link points: never out of a checkout, nor into git's own folder."""

import re

from hub.errors import BadObject
from hub.names import is_like_dot_git

MAX_TARGET_BYTES = 4095
"""What Linux takes: PATH_MAX without the NUL at its end."""
_DIVIDERS = re.compile(r"[/\\]")
_DRIVE = re.compile(r"[A-Za-z]:")


def check_link(path: str, target: bytes) -> None:
    """Check the link at ``path``.

    A way up is allowed at the beginning of a target only: behind a name, which may be a link
    itself, nobody knows where it leads.

    Raises:
        BadObject: a checkout would have a link that leads out of it.
    """
    if problem := _problem_of(path.count("/"), target):
        raise BadObject(f"The symbolic link {path} is refused: {problem}.")


def _problem_of(depth: int, target: bytes) -> str | None:
    text = target.decode(errors="replace")
    parts = [part for part in _DIVIDERS.split(text) if part not in {"", "."}]
    ups = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    problems = {
        "it is empty": not target,
        f"it is longer than {MAX_TARGET_BYTES} bytes": len(target) > MAX_TARGET_BYTES,
        "it holds a NUL character": b"\0" in target,
        "it is an absolute path": bool(_DIVIDERS.match(text) or _DRIVE.match(text)),
        "it leads out of the repo": ups > depth,
        "it goes up again behind a name": ".." in parts[ups:],
        "it leads into '.git'": any(map(is_like_dot_git, parts)),
    }
    return next((problem for problem, found in problems.items() if found), None)
