"""What one commit changed, as a page shows it: sizes of all files, and the lines of small texts.

The number of queries depends on the depth of the tree alone, and the work on bounds given here.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hub.models import Repo
from hub.queries.diffs import FileChange, changed_files
from hub.queries.objects import BlobFacts, blob_facts, read_many
from hub.queries.scans import withheld

MAX_FILES = 200
MAX_TEXT_BYTES = 64 * 1024
MAX_LINES = 2_000
MAX_PAGE_BYTES = 512 * 1024
CONTEXT_LINES = 3


class Line(NamedTuple):
    """One line of a diff with its numbers before and after."""

    kind: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Some lines that belong together."""

    header: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One changed file; sizes are those of what a download gives."""

    path: str
    status: str
    old_size: int | None
    new_size: int | None
    hunks: list[Hunk]


@dataclass(frozen=True, slots=True)
class Changes:
    """The first files that differ, by path, and how many there are in all."""

    files: list[FileDiff]
    total: int


def between(repo: Repo, old: bytes | None, new: bytes | None) -> Changes:
    """Compare two trees; None is the tree before the first commit.

    Of files that scanners have not let out no line is shown.
    """
    found = changed_files(repo.pk, old, new)
    shown = found[:MAX_FILES]
    oids = [oid for change in shown for oid in (change.old, change.new) if oid]
    facts = blob_facts(repo.pk, oids)
    small = _small(shown, facts)
    kept = withheld(repo, small)
    texts = read_many(repo.pk, [oid for oid in small if oid not in kept])
    return Changes([_diff(change, facts, texts) for change in shown], len(found))


def _small(changes: Sequence[FileChange], facts: Mapping[bytes, BlobFacts]) -> list[bytes]:
    """The blobs whose lines are worth comparing, as many as one page may take."""
    chosen: list[bytes] = []
    left = MAX_PAGE_BYTES
    for change in changes:
        oids = [oid for oid in (change.old, change.new) if oid]
        sizes = [facts[oid].size for oid in oids if oid in facts]
        if all(size <= MAX_TEXT_BYTES for size in sizes) and sum(sizes) <= left:
            chosen += oids
            left -= sum(sizes)
    return chosen


def _diff(
    change: FileChange, facts: Mapping[bytes, BlobFacts], texts: Mapping[bytes, bytes]
) -> FileDiff:
    sides = [_lines(oid, texts) for oid in (change.old, change.new)]
    hunks: list[Hunk] = []
    if sides[0] is not None and sides[1] is not None:
        hunks = list(_hunks(sides[0], sides[1]))
    sizes = [_size(facts.get(oid)) if oid else None for oid in (change.old, change.new)]
    return FileDiff(change.path, change.status, sizes[0], sizes[1], hunks)


def _size(facts: BlobFacts | None) -> int | None:
    if facts is None:
        return None
    return facts.size if facts.lfs_size is None else facts.lfs_size


def _lines(oid: bytes | None, texts: Mapping[bytes, bytes]) -> list[str] | None:
    """The lines of one side; None when it is too large or no text."""
    if oid is None:
        return []
    raw = texts.get(oid)
    if raw is None or b"\0" in raw:
        return None
    lines = raw.decode(errors="replace").split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines if len(lines) <= MAX_LINES else None


_HEADER = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def _hunks(old: Sequence[str], new: Sequence[str]) -> Iterator[Hunk]:
    lines = difflib.unified_diff(old, new, n=CONTEXT_LINES, lineterm="")
    body: Iterable[str] = list(lines)[2:]
    hunk: Hunk | None = None
    before = after = 0
    for line in body:
        if header := _HEADER.match(line):
            if hunk:
                yield hunk
            hunk = Hunk(line, [])
            before, after = int(header[1]), int(header[2])
        elif hunk:
            kind = _KINDS[line[0]]
            in_old, in_new = kind != "add", kind != "remove"
            numbers = before if in_old else None, after if in_new else None
            hunk.lines.append(Line(kind, *numbers, line[1:]))
            before, after = before + in_old, after + in_new
    if hunk:
        yield hunk


_KINDS = {"+": "add", "-": "remove", " ": "keep"}
