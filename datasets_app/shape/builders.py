"""Which builder reads the files of a config: that of their most common extension.

Source: ``infer_module_for_data_files`` in ``datasets/load.py`` of datasets 5.2.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from datasets_app.errors import Unresolvable
from datasets_app.shape import formats

_ARCHIVES: Final = 10
"""How many zip files are looked into."""

Members = Callable[[str], Sequence[str]]
"""Answers the names of the files in a zip file."""
Reading = tuple[str, Mapping[str, Any]]
"""A builder, and the parameters that go with the extension."""


def builder_of(files: Mapping[str, Sequence[str]], members: Members | None) -> Reading:
    """The builder of a config's files, by split, and the parameters that go with it.

    Raises:
        Unresolvable: there is none, or splits differ in it.
    """
    found = {split: _of_split(listed, members) for split, listed in files.items()}
    first = next(iter(found.values()), None)
    if any(one != first for one in found.values()):
        shown = {split: one[0] if one else None for split, one in found.items()}
        raise Unresolvable(
            "FileFormatMismatchBetweenSplitsError",
            f"Couldn't infer the same data file format for all splits. Got {shown}",
        )
    if first is None:
        raise Unresolvable("DataFilesNotFoundError", "No (supported) data files found.")
    return first


_TIES: Final = (".parquet", ".lance", ".vortex", ".arrow", ".jsonl", ".json", ".csv")


def _of_split(paths: Sequence[str], members: Members | None) -> Reading | None:
    counted = Counter(
        (suffix.lower(), path.rpartition("/")[2] in formats.ALL_METADATA_NAMES)
        for path in paths
        for suffix in formats.suffixes(path)
    )

    def rank(item: tuple[tuple[str, bool], int]) -> tuple[object, ...]:
        (suffix, is_metadata), count = item
        return (not is_metadata, count, *(suffix == tie for tie in _TIES), suffix)

    for (suffix, _is_metadata), _count in sorted(counted.items(), key=rank, reverse=True):
        if suffix in formats.BUILDERS:
            return formats.BUILDERS[suffix], formats.DEFAULTS.get(suffix, {})
        if suffix == ".zip":
            return _of_archives(paths, members)
    return None


def _of_archives(paths: Sequence[str], members: Members | None) -> Reading | None:
    archives = [path for path in paths if path.endswith(".zip")][:_ARCHIVES]
    counted = Counter(
        suffix.lower()
        for archive in archives
        for member in (members(archive) if members else ())
        for suffix in formats.suffixes(member)
    )
    if not counted:
        return None
    suffix = counted.most_common(1)[0][0]
    if suffix not in formats.BUILDERS:
        return None
    return formats.BUILDERS[suffix], formats.DEFAULTS.get(suffix, {})


def readable(paths: Sequence[str], builder: str) -> list[str]:
    """Those files that a builder reads; what else the patterns found is left alone."""
    tails = "|".join(re.escape(one) for one in formats.extensions_of(builder))
    names = formats.METADATA_NAMES.get(builder, ())
    expression = re.compile(f".*({tails})(\\..+)?$")
    return [
        path for path in paths if expression.match(path) or path.endswith(tuple(names) or ("\0",))
    ]
