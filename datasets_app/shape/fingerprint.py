"""fingerprint and recipe: one hash for «same inputs, same outputs»."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

PIPELINE_VERSION: Final = 1
"""Grows when the same files would give other rows or other shards than before."""


def fingerprint(configs: Iterable[Mapping[str, Any]]) -> str:
    """Of a whole dataset: its configs, how their files are read, and which files those are."""
    return _digest(["snapshot", *configs])


def recipe(*parts: Any) -> str:
    """Of the shards of one source: its bytes, how they are read, and the schema that they get."""
    return _digest(["shards", *parts])


def _digest(what: Any) -> str:
    text = json.dumps([PIPELINE_VERSION, what], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
