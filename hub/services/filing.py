"""File commits: each in its place in a line of history, with the paths that it changed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from hub.models import PendingIndex, sql
from hub.queries.history import dir_key

_COPY_FROM = 50
"""From this many commits on COPY is cheaper than statements."""
_COPY_CHANGES_FROM = 200
"""Of changed paths, each of which is a short row."""
_CHANGES_AT_A_TIME = 20_000


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit to add: its row, the paths that it changed, and whether each is gone."""

    oid: bytes
    tree: bytes
    parents: tuple[bytes, ...]
    author: str
    author_id: int | None
    created_at: datetime
    title: str
    message: str
    changes: Mapping[str, bool]


class Place(NamedTuple):
    """Where a commit stands: the ``pos``-th of a line."""

    line: int
    pos: int


_PLACES = """
SELECT c.oid, c.line, c.pos, EXISTS (
    SELECT FROM git_commit n WHERE n.repo_id = c.repo_id AND n.line = c.line AND n.pos = c.pos + 1
) FROM git_commit c WHERE c.repo_id = %s AND c.oid = ANY(%s)
"""


class Filing:
    """Adds commits, first parents first, under the repo's lock.

    One that is there already stays as it is: the same change by the same author in the same second
    is the same commit.
    """

    def __init__(self, repo_id: int, commits: Sequence[NewCommit]) -> None:
        """Ask where the commits that are known stand; the lock must be held, or sent for."""
        self._repo_id = repo_id
        self._commits = commits
        self.copies = len(commits) >= _COPY_FROM or _is_much(commits)
        """COPY is going to be used, which has no place in a pipeline."""
        firsts = {commit.parents[0] for commit in commits if commit.parents}
        oids = firsts | {commit.oid for commit in commits}
        self._known = sql.send(_PLACES, [repo_id, list(oids)]) if oids else None

    def file(self, next_line: int, *, index_later: bool = False) -> int:
        """Add the commits; answer the next free line."""
        if self._known is None:
            return next_line
        placing = _Placing(self._known.rows(), next_line)
        fresh = [commit for commit in self._commits if placing.place(commit)]
        _insert_lines(self._repo_id, placing.lines)
        _insert_commits(self._repo_id, fresh, placing.places)
        if index_later:
            _note_pending(self._repo_id, [placing.places[commit.oid] for commit in fresh])
        else:
            changes = ((placing.places[one.oid], one.changes) for one in fresh)
            (_copy_changes if self.copies else file_changes)(self._repo_id, changes)
        return placing.next_line


def _is_much(commits: Sequence[NewCommit]) -> bool:
    return sum(len(commit.changes) for commit in commits) >= _COPY_CHANGES_FROM


class _Placing:
    """Decides where commits stand: after their first parent, or on a new line."""

    def __init__(self, known: Iterable[tuple[Any, ...]], next_line: int) -> None:
        self.next_line = next_line
        self.lines: list[tuple[int, int | None, int | None]] = []
        self.places: dict[bytes, Place] = {}
        self._taken: set[Place] = set()
        """Places after which another commit stands in the same line."""
        for oid, line, pos, is_followed in known:
            self.places[oid] = Place(line, pos)
            if is_followed:
                self._taken.add(Place(line, pos))

    def place(self, commit: NewCommit) -> bool:
        """Find a place for a commit; no if it has one."""
        if commit.oid in self.places:
            return False
        parent = self.places[commit.parents[0]] if commit.parents else None
        if parent is not None and parent not in self._taken:
            self._taken.add(parent)
            self.places[commit.oid] = Place(parent.line, parent.pos + 1)
        else:
            self.lines.append((self.next_line, *(parent or (None, None))))
            self.places[commit.oid] = Place(self.next_line, 1)
            self.next_line += 1
        return True


def _insert_lines(repo_id: int, lines: Sequence[tuple[int, int | None, int | None]]) -> None:
    if lines:
        columns = [list(column) for column in zip(*lines, strict=True)]
        sql.send(
            "INSERT INTO git_line (repo_id, line, parent_line, parent_pos) "
            "SELECT %s, * FROM unnest(%s::int[], %s::int[], %s::int[])",
            [repo_id, *columns],
        )


_COMMIT_COLUMNS = (
    "repo_id, oid, line, pos, tree, parents, author, author_id, created_at, title, message"
)
_INSERT_COMMIT = f"""
INSERT INTO git_commit ({_COMMIT_COLUMNS})
VALUES (%s, %s, %s, %s, %s, %s::bytea[], %s, %s, %s, %s, %s)
"""
_COMMIT_TYPES = ["int8", "bytea", "int4", "int4", "bytea", "bytea[]", "text", "int8"]
_COMMIT_TYPES += ["timestamptz", "text", "text"]


def _insert_commits(
    repo_id: int, commits: Sequence[NewCommit], places: Mapping[bytes, Place]
) -> None:
    rows = (_row_of(repo_id, commit, places[commit.oid]) for commit in commits)
    if len(commits) >= _COPY_FROM:
        sql.copy(f"git_commit ({_COMMIT_COLUMNS})", _COMMIT_TYPES, rows)
        return
    for row in rows:
        sql.send(_INSERT_COMMIT, row)


def _row_of(repo_id: int, commit: NewCommit, place: Place) -> list[Any]:
    row = [repo_id, commit.oid, *place, commit.tree, list(commit.parents), commit.author]
    return [*row, commit.author_id, commit.created_at, commit.title, commit.message]


_CHANGE_COLUMNS = "repo_id, dir_key, name, line, pos, deleted"
_CHANGE_TYPES = ["int8", "bytea", "text", "int4", "int4", "bool"]
_INSERT_CHANGES = f"""
INSERT INTO path_change ({_CHANGE_COLUMNS})
SELECT %s, * FROM unnest(%s::bytea[], %s::text[], %s::int[], %s::int[], %s::bool[])
ON CONFLICT DO NOTHING
"""


def file_changes(repo_id: int, changes: Iterable[tuple[Place, Mapping[str, bool]]]) -> None:
    """Note for each place which paths changed there, folders included, and whether each is gone."""
    rows = _change_rows(changes)
    while batch := list(islice(rows, _CHANGES_AT_A_TIME)):
        columns = [list(column) for column in zip(*batch, strict=True)]
        sql.send(_INSERT_CHANGES, [repo_id, *columns])


def _copy_changes(repo_id: int, changes: Iterable[tuple[Place, Mapping[str, bool]]]) -> None:
    """Like :func:`file_changes` at a third of its cost, for places that are new for sure."""
    rows = ((repo_id, *row) for row in _change_rows(changes))
    sql.copy(f"path_change ({_CHANGE_COLUMNS})", _CHANGE_TYPES, rows)


def _change_rows(
    changes: Iterable[tuple[Place, Mapping[str, bool]]],
) -> Iterator[tuple[bytes, str, int, int, bool]]:
    keys: dict[str, bytes] = {}
    for place, paths in changes:
        for path, gone in paths.items():
            folder, _, name = path.rpartition("/")
            key = keys.get(folder)
            if key is None:
                key = keys[folder] = dir_key(folder)
            yield key, name, place.line, place.pos, gone


def _note_pending(repo_id: int, places: Iterable[Place]) -> None:
    spans: dict[int, list[int]] = defaultdict(list)
    for place in places:
        spans[place.line].append(place.pos)
    PendingIndex.objects.bulk_create(
        PendingIndex(repo_id=repo_id, line=line, next_pos=min(found), last_pos=max(found))
        for line, found in spans.items()
    )
