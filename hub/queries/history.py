"""Resolve revisions, read the log, and find the commit that last changed each path.

A first-parent chain is a *line* with positions 1, 2, …; a branch that leaves it starts a new line.
So a revision is a short list of segments ``(line, last position)``, and both the log and «last
commit of this path» are range scans, however long the history is.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from hub.errors import RevisionNotFound
from hub.git.objects import Kind
from hub.git.refs import BRANCHES, TAGS
from hub.models import Repo, sql
from hub.names import RevisionName
from hub.queries.tags import chains, known_chains


class CommitRow(NamedTuple):
    """One commit, as lists and pages need it."""

    oid: bytes
    line: int
    pos: int
    tree: bytes
    parents: list[bytes]
    author: str
    author_id: int | None
    created_at: datetime
    title: str
    message: str


class RefRow(NamedTuple):
    """One ref and the commit that it comes to."""

    name: str
    commit: bytes


_COMMIT_COLUMNS = (
    "c.oid, c.line, c.pos, c.tree, c.parents, c.author, c.author_id, c.created_at, c.title, "
    "c.message"
)


def commit_by_oid(repo_id: int, oid: bytes) -> CommitRow | None:
    """Answer the commit with a full id."""
    found = sql.row(
        f"SELECT {_COMMIT_COLUMNS} FROM git_commit c WHERE c.repo_id = %s AND c.oid = %s",
        [repo_id, oid],
    )
    return CommitRow(*found) if found else None


def commits_by_oid(repo_id: int, oids: Iterable[bytes]) -> dict[bytes, CommitRow]:
    """Answer many commits by full id."""
    rows = sql.rows(
        f"SELECT {_COMMIT_COLUMNS} FROM git_commit c WHERE c.repo_id = %s AND c.oid = ANY(%s)",
        [repo_id, list(set(oids))],
    )
    return {row[0]: CommitRow(*row) for row in rows}


def commits_of_line(repo_id: int, line: int, first: int, last: int) -> list[CommitRow]:
    """Answer a run of a line, oldest first."""
    rows = sql.rows(
        f"SELECT {_COMMIT_COLUMNS} FROM git_commit c WHERE c.repo_id = %s AND c.line = %s "
        "AND c.pos BETWEEN %s AND %s ORDER BY c.pos",
        [repo_id, line, first, last],
    )
    return [CommitRow(*row) for row in rows]


def resolve(repo: Repo, revision: RevisionName) -> CommitRow:
    """Answer the commit that a revision comes to: a ref first, then a commit id, whole or short.

    Raises:
        RevisionNotFound: nothing is called so.
    """
    found = _by_ref(repo.pk, revision.text)
    if found is None and revision.may_be_short_commit:
        found = _by_prefix(repo.pk, revision)
    if found is None:
        raise RevisionNotFound(f"Invalid rev id: {revision}")
    return found


def _by_ref(repo_id: int, text: str) -> CommitRow | None:
    names = (
        [text, BRANCHES + text, TAGS + text]
        if text.startswith("refs/")
        else [
            BRANCHES + text,
            TAGS + text,
        ]
    )
    rows = sql.rows(
        f"SELECT r.name, r.oid, {_COMMIT_COLUMNS} FROM git_ref r LEFT JOIN git_commit c "
        "ON c.repo_id = r.repo_id AND c.oid = r.oid WHERE r.repo_id = %s AND r.name = ANY(%s)",
        [repo_id, names],
    )
    if not rows:
        return None
    _name, oid, *columns = min(rows, key=lambda row: names.index(row[0]))
    return CommitRow(*columns) if columns[0] is not None else _peeled(repo_id, oid)


def _peeled(repo_id: int, oid: bytes) -> CommitRow | None:
    chain = known_chains(repo_id, [oid]).get(oid)
    return commit_by_oid(repo_id, chain.target) if chain else None


def _by_prefix(repo_id: int, revision: RevisionName) -> CommitRow | None:
    """A prefix of hexadecimal digits is a range of ids; two commits in it make it ambiguous."""
    low, high = revision.text.ljust(40, "0"), revision.text.ljust(40, "f")
    rows = sql.rows(
        f"SELECT {_COMMIT_COLUMNS} FROM git_commit c "
        "WHERE c.repo_id = %s AND c.oid BETWEEN %s AND %s LIMIT 2",
        [repo_id, bytes.fromhex(low), bytes.fromhex(high)],
    )
    return CommitRow(*rows[0]) if len(rows) == 1 else None


def ref_oid(repo_id: int, name: str) -> bytes | None:
    """What a ref points to, by its whole name; None if there is no such ref."""
    row = sql.row("SELECT oid FROM git_ref WHERE repo_id = %s AND name = %s", [repo_id, name])
    return row[0] if row else None


def refs(repo: Repo, prefix: str) -> list[RefRow]:
    """List the refs under ``prefix`` by name, tags peeled to their commits."""
    rows = sql.rows(
        "SELECT r.name, r.oid, o.kind FROM git_ref r LEFT JOIN git_object o "
        "ON o.repo_id = r.repo_id AND o.oid = r.oid "
        "WHERE r.repo_id = %s AND starts_with(r.name, %s) ORDER BY r.name",
        [repo.pk, prefix],
    )
    peeled = chains(repo.pk, (oid for _name, oid, kind in rows if kind == Kind.TAG))
    return [RefRow(name, peeled[oid].target if oid in peeled else oid) for name, oid, _kind in rows]


_SEGMENTS = """
WITH RECURSIVE segment(line, pos, depth) AS (
    SELECT %s::int, %s::int, 0
    UNION ALL
    SELECT l.parent_line, l.parent_pos, s.depth + 1
    FROM segment s JOIN git_line l ON l.repo_id = %s AND l.line = s.line
    WHERE l.parent_line IS NOT NULL
)
SELECT line, pos FROM segment ORDER BY depth
"""


def segments(repo_id: int, commit: CommitRow) -> list[tuple[int, int]]:
    """The lines that lead to ``commit``, newest first, each with its last position."""
    return [(line, pos) for line, pos in sql.rows(_SEGMENTS, [commit.line, commit.pos, repo_id])]


def log(repo_id: int, start: CommitRow, limit: int) -> list[CommitRow]:
    """The first parents of ``start``, itself first: at most ``limit`` commits."""
    found: list[CommitRow] = []
    for line, pos in segments(repo_id, start):
        if len(found) >= limit:
            break
        rows = sql.rows(
            f"SELECT {_COMMIT_COLUMNS} FROM git_commit c WHERE c.repo_id = %s AND c.line = %s "
            "AND c.pos <= %s ORDER BY c.pos DESC LIMIT %s",
            [repo_id, line, pos, limit - len(found)],
        )
        found += [CommitRow(*row) for row in rows]
    return found


def count(repo_id: int, commit: CommitRow) -> int:
    """How many commits lead to ``commit``, itself included."""
    return sum(pos for _line, pos in segments(repo_id, commit))


def dir_key(folder: str) -> bytes:
    """The key under which changes in ``folder`` are filed."""
    return hashlib.sha256(folder.encode()).digest()[:16]


class LastCommit(NamedTuple):
    """The commit that last changed a path."""

    oid: bytes
    title: str
    created_at: datetime
    author: str


_LAST = """
WITH last AS MATERIALIZED (
    SELECT n.name, x.pos
    FROM unnest(%(names)s::text[]) AS n(name)
    CROSS JOIN LATERAL (
        SELECT p.pos FROM path_change p
        WHERE p.repo_id = %(repo)s AND p.dir_key = %(key)s AND p.name = n.name COLLATE "C"
            AND p.line = %(line)s AND p.pos <= %(pos)s
        ORDER BY p.pos DESC LIMIT 1
    ) x
)
SELECT l.name, c.oid, c.title, c.created_at, c.author
FROM last l
JOIN git_commit c ON c.repo_id = %(repo)s AND c.line = %(line)s AND c.pos = l.pos
"""


def last_commits(
    repo_id: int, commit: CommitRow, folder: str, names: Sequence[str]
) -> dict[str, LastCommit]:
    """For each of ``names`` in ``folder`` the commit that last changed it, as of ``commit``.

    A merge counts as the commit that brought its changes (first-parent view). While a long push is
    still being indexed the answer is empty: better none than a wrong one.
    """
    found: dict[str, LastCommit] = {}
    missing = list(names)
    way = segments(repo_id, commit)
    if _is_pending(repo_id, way):
        return found
    for line, pos in way:
        values = {
            "names": missing,
            "repo": repo_id,
            "key": dir_key(folder),
            "line": line,
            "pos": pos,
        }
        for name, *columns in sql.rows(_LAST, values):
            found[name] = LastCommit(*columns)
        missing = [name for name in missing if name not in found]
        if not missing:
            break
    return found


_PENDING = """
SELECT 1 FROM hub_pendingindex p JOIN unnest(%s::int[], %s::int[]) AS w(line, pos)
ON p.line = w.line AND p.next_pos <= w.pos WHERE p.repo_id = %s LIMIT 1
"""


def _is_pending(repo_id: int, way: Sequence[tuple[int, int]]) -> bool:
    lines, positions = [line for line, _pos in way], [pos for _line, pos in way]
    return sql.row(_PENDING, [lines, positions, repo_id]) is not None


def path_log(repo_id: int, commit: CommitRow, path: str, limit: int) -> list[CommitRow]:
    """The commits that changed ``path``, newest first, as of ``commit``."""
    folder, _, name = path.rpartition("/")
    found: list[CommitRow] = []
    for line, pos in segments(repo_id, commit):
        rows = sql.rows(
            f"SELECT {_COMMIT_COLUMNS} FROM path_change p JOIN git_commit c "
            "ON c.repo_id = p.repo_id AND c.line = p.line AND c.pos = p.pos "
            "WHERE p.repo_id = %s AND p.dir_key = %s AND p.name = %s AND p.line = %s "
            "AND p.pos <= %s ORDER BY p.pos DESC LIMIT %s",
            [repo_id, dir_key(folder), name, line, pos, limit - len(found)],
        )
        found += [CommitRow(*row) for row in rows]
        if len(found) >= limit:
            break
    return found
