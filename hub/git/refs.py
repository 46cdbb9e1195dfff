"""Names of refs, and the value of one that moves (gitrepository-layout, ``refs/``)."""

from dataclasses import dataclass

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
CONVERTS = "refs/convert/"
PULL_REQUESTS = "refs/pr/"


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One ref moves; None stands for «did not exist» and for «shall no longer exist»."""

    ref: str
    old: bytes | None
    new: bytes | None
