"""What is known of the safety of files, and whether their bytes may be served: the one place.

Every way out of a repo asks here. Where nothing is withheld that costs no query: the policy comes
with the row of the repo's owner.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.conf import settings

from hub.errors import FileWithheld
from hub.git.objects import Kind
from hub.models import Repo, sql
from hub.queries.trees import EntryFacts
from hub.scanning.verdicts import Status

_AT_ONCE = 5000
_NAMED = 3


class Policy(StrEnum):
    """What a hub, or an organisation, does about verdicts; the stricter of the two holds."""

    WARN = "warn"
    """Say it, and serve the file."""
    QUARANTINE = "quarantine"
    """Serve nothing before its verdict, and nothing that is not harmless."""
    BLOCK = "block"
    """The same, and take no commit with a file that is known to be unsafe."""


STRICTEST = tuple(Policy)
HARMLESS = (Status.SAFE.value, Status.CAUTION.value)


@dataclass(frozen=True, slots=True)
class Scanned:
    """The verdict on one file."""

    key: bytes
    status: Status
    details: Mapping[str, Any]
    scanned_at: datetime | None = None
    released_at: datetime | None = None
    released_by: str = ""
    standing: Status = Status.UNSCANNED
    """The verdict that holds, while the next one is waited for."""

    @property
    def is_harmless(self) -> bool:
        return self.standing.value in HARMLESS


def policy_of(repo: Repo) -> Policy:
    """What holds for a repo: of its hub's policy and its owner's the stricter one."""
    own = repo.namespace.scan_policy or Policy.WARN
    return max(Policy(settings.SCAN_POLICY), Policy(own), key=STRICTEST.index)


def withholds(repo: Repo) -> bool:
    """Whether there is anything that the repo does not serve."""
    return policy_of(repo) is not Policy.WARN


def key_of(entry: EntryFacts) -> bytes:
    """By what the verdict on an entry is kept."""
    return entry.large.sha256 if entry.large else entry.oid


_VERDICTS = """
SELECT s.key, s.state, s.details, s.scanned_at, s.released_at, coalesce(n.name, ''), s.before
FROM hub_scan s LEFT JOIN teams_user u ON u.id = s.released_by_id
LEFT JOIN teams_namespace n ON n.id = u.namespace_id
WHERE s.repo_id = %s AND s.key = ANY(%s)
"""


def verdicts_of(repo_id: int, keys: Iterable[bytes]) -> dict[bytes, Scanned]:
    """The verdicts on those of ``keys`` that have one or wait for it, in one query."""
    wanted = list(set(keys))
    rows = sql.rows(_VERDICTS, [repo_id, wanted]) if wanted else []
    return {
        key: Scanned(key, Status(state), details, at, released, by, Status(before or state))
        for key, state, details, at, released, by, before in rows
    }


def states_of(repo_ids: Iterable[int], keys: Iterable[bytes]) -> dict[int, dict[bytes, str]]:
    """For each of these repos the words that clients read for files, by key, in one query."""
    rows = sql.rows(
        "SELECT repo_id, key, coalesce(nullif(before, ''), state) FROM hub_scan "
        "WHERE repo_id = ANY(%s) AND key = ANY(%s)",
        [list(repo_ids), list(keys)],
    )
    found: dict[int, dict[bytes, str]] = {}
    for repo_id, key, state in rows:
        found.setdefault(repo_id, {})[key] = state
    return found


_ISSUES = """
SELECT s.key, s.state, s.details, s.scanned_at, s.released_at, coalesce(n.name, ''), s.before, s.id
FROM hub_scan s LEFT JOIN teams_user u ON u.id = s.released_by_id
LEFT JOIN teams_namespace n ON n.id = u.namespace_id
WHERE s.repo_id = %s AND s.id < %s
AND s.state IN ('caution', 'error', 'suspicious', 'unsafe')
ORDER BY s.id DESC LIMIT %s
"""


class Issue(NamedTuple):
    """A file that is not plainly safe, and its place among others."""

    id: int
    scanned: Scanned


def issues_of(repo: Repo, *, before: int, limit: int) -> list[Issue]:
    """The files of a repo that are not plainly safe, newest first, from below ``before``."""
    rows = sql.rows(_ISSUES, [repo.pk, before, limit])
    return [
        Issue(number, Scanned(key, Status(state), details, at, released, by, Status(was or state)))
        for key, state, details, at, released, by, was, number in rows
    ]


class Tally(NamedTuple):
    """How many files of a repo wait for their verdict, and how many have one that is not good."""

    waiting: int
    issues: int


_MOST_TOLD = 1000
_TALLY = """
SELECT (SELECT count(*) FROM (SELECT FROM hub_scan WHERE repo_id = %(repo)s AND state = 'queued'
        LIMIT %(most)s) waiting),
    (SELECT count(*) FROM (SELECT FROM hub_scan WHERE repo_id = %(repo)s
        AND state IN ('caution', 'error', 'suspicious', 'unsafe') LIMIT %(most)s) issue)
"""


def tally_of(repo: Repo) -> Tally:
    """Count them, up to a thousand of each."""
    row = sql.row(_TALLY, {"repo": repo.pk, "most": _MOST_TOLD})
    return Tally(*row) if row else Tally(0, 0)


_SERVED = """
SELECT key FROM hub_scan WHERE repo_id = %s AND key = ANY(%s)
AND (released_at IS NOT NULL OR coalesce(nullif(before, ''), state) = ANY(%s))
"""


def withheld(repo: Repo, keys: Collection[bytes]) -> set[bytes]:
    """Those of ``keys`` whose bytes the repo may not give to anybody."""
    if not keys or not withholds(repo):
        return set()
    wanted = list(keys)
    served: set[bytes] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        batch = wanted[start : start + _AT_ONCE]
        served |= {key for (key,) in sql.rows(_SERVED, [repo.pk, batch, list(HARMLESS)])}
    return set(wanted) - served


def check_served(repo: Repo, *keys: bytes) -> None:
    """Refuse to give the bytes of files without a good verdict.

    Raises:
        FileWithheld: one of them has a bad one, or none yet.
    """
    if kept := withheld(repo, keys):
        raise refusal_of(repo, kept)


def refusal_of(repo: Repo, kept: Collection[bytes]) -> FileWithheld:
    """Say why files are withheld, and what helps."""
    known = verdicts_of(repo.pk, list(kept)[:_AT_ONCE])
    standing = {one.standing for one in known.values()}
    told = ", ".join(sorted(key.hex()[:12] for key in kept)[:_NAMED])
    what = f"{len(kept)} files ({told} …)" if len(kept) > 1 else f"The file {told}"
    if len(known) < len(kept) or Status.QUEUED in standing:
        return FileWithheld(f"{what} cannot be served before being scanned. Try again in a moment.")
    worst = max(standing, key=list(Status).index)
    return FileWithheld(
        f"{what} cannot be served: the scanners' verdict is «{worst}». Whoever may manage "
        f"{repo} can read why under {repo.url}/security, and release it."
    )


_NOT_SERVED = f"""
SELECT coalesce(o.lfs_oid, o.oid) FROM git_object o
WHERE o.repo_id = %(repo)s AND o.kind = {int(Kind.BLOB)}
AND (%(pointers)s OR o.lfs_oid IS NULL) AND (%(oids)s::bytea[] IS NULL OR o.oid = ANY(%(oids)s))
AND NOT EXISTS (SELECT FROM hub_scan s
    WHERE s.repo_id = o.repo_id AND s.key = coalesce(o.lfs_oid, o.oid)
    AND (s.released_at IS NOT NULL OR coalesce(nullif(s.before, ''), s.state) = ANY(%(good)s)))
LIMIT 100
"""


def check_in_git(repo: Repo, oids: Sequence[bytes] | None) -> None:
    """The same for the objects that go into a pack, or for all; a pointer gives no bytes away.

    Raises:
        FileWithheld: one of them has a bad verdict, or none yet.
    """
    _check_objects(repo, oids, pointers=False)


def check_all_served(repo: Repo) -> None:
    """The same for everything that the repo ever had.

    Raises:
        FileWithheld: something of it has a bad verdict, or none yet.
    """
    _check_objects(repo, None, pointers=True)


def _check_objects(repo: Repo, oids: Sequence[bytes] | None, *, pointers: bool) -> None:
    if not withholds(repo) or oids == []:
        return
    values = {"repo": repo.pk, "oids": oids, "good": list(HARMLESS), "pointers": pointers}
    if rows := sql.rows(_NOT_SERVED, values):
        raise refusal_of(repo, [key for (key,) in rows])
