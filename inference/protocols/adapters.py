"""Adapters: small weights (LoRA) that a model is run with, named beside it in a call."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from inference.errors import InputRejected

MOST = 8
MOST_WEIGHT = 10.0
FILE = "pytorch_lora_weights.safetensors"
"""As diffusers and most trainers call it."""

_LINE = re.compile(r"(?P<repo>[^\s@]+)(@(?P<revision>\S+))?(\s+(?P<weight>\S+))?", re.ASCII)
_LONGEST = 300


def adapters_of(given: Any, what: str) -> list[dict[str, Any]]:
    """Read adapters: objects with ``repo``, ``revision`` and ``weight``, or lines of a form.

    Each answers with ``repo``, ``commit`` (the revision that was named, until it is resolved; empty
    for the repo's default branch) and ``weight``.

    Raises:
        InputRejected: it is something else, or too many, or one twice.
    """
    if isinstance(given, str):
        given = [line.strip() for line in given.splitlines() if line.strip()]
    if not isinstance(given, list | tuple):
        raise InputRejected(f"{what} must be a list of objects with repo, revision and weight.")
    if len(given) > MOST:
        raise InputRejected(f"{what} has more than {MOST}.")
    read = [_one(one, what) for one in given]
    if len({(one["repo"], one["commit"]) for one in read}) < len(read):
        raise InputRejected(f"{what} names one twice.")
    return read


def _one(given: Any, what: str) -> dict[str, Any]:
    told = _line(given, what) if isinstance(given, str) else given
    if not isinstance(told, dict):
        raise InputRejected(f"{what} must hold objects with repo, revision and weight.")
    if strange := sorted(map(str, told.keys() - {"repo", "revision", "commit", "weight"})):
        raise InputRejected(f"{what} knows no {strange[0]!r}; it takes repo, revision, weight.")
    repo, weight = told.get("repo"), told.get("weight", 1.0)
    commit = told.get("revision") or told.get("commit") or ""
    if not all(isinstance(text, str) and len(text) <= _LONGEST for text in (repo, commit)):
        raise InputRejected(f"{what} must name repo and revision by texts.")
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise InputRejected(f"The weight in {what} must be a number.")
    if not -MOST_WEIGHT <= weight <= MOST_WEIGHT or math.isnan(weight):
        raise InputRejected(f"The weight in {what} must be {-MOST_WEIGHT:g} to {MOST_WEIGHT:g}.")
    return {"repo": repo, "commit": commit, "weight": float(weight)}


def _line(line: str, what: str) -> dict[str, Any]:
    found = _LINE.fullmatch(line)
    if found is None:
        raise InputRejected(f"{what} must look like namespace/name@revision 0.8, one a line.")
    try:
        weight = float(found["weight"] or 1)
    except ValueError:
        raise InputRejected(f"The weight in {what} must be a number.") from None
    return {"repo": found["repo"], "revision": found["revision"] or "", "weight": weight}


def lines_of(adapters: Sequence[Mapping[str, Any]]) -> str:
    """Write adapters as the lines of a form."""
    return "\n".join(f"{one['repo']}@{one['commit']} {one['weight']:g}" for one in adapters)
