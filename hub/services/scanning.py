"""Scan what was pushed: once for each file of a repo and each version of the rules.

Rows are the truth. A worker claims some that wait, for a while; whoever dies with them in hand
loses them when that is over, and another scans them again.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from django.conf import settings
from django.db import DatabaseError, transaction

from hub.crashpoints import Point, reach
from hub.errors import BadObject
from hub.events import FileVerdict, SecurityChanged
from hub.models import Repo, Scan, sql
from hub.names import ROOT
from hub.queries.content import stored_large
from hub.queries.history import commits_by_oid
from hub.queries.objects import read_raw
from hub.queries.tags import known_chains
from hub.queries.trees import facts_of, list_all
from hub.scanning.clamd import MOST_BYTES, ask_clamd
from hub.scanning.scanners import Scanners
from hub.scanning.verdicts import RULES, Status, Verdict, failure, trouble
from hub.services import doorbell, leaks, outbox, scan_claims
from hub.services.scan_claims import Claim
from hub.storage.large_files import Content
from hub.storage.unreadable import unreadable_as_damage
from teams.errors import Damaged, NotFound, Unavailable

TASK = "hub.tasks.scanning.scan_queued"
SHIFT_SECONDS = 30.0
"""After which other tasks have their turn before the next file is looked at."""
RENEWED_AT_ONCE = 5000
MOST_ATTEMPTS = 5
MOST_NAMED = 200_000
"""Files of a repo up to which a scanner is told the name of each."""
_HEADS = 10
_SHA256_BYTES = 32
_ISSUES = frozenset({Status.CAUTION, Status.ERROR, Status.SUSPICIOUS, Status.UNSAFE})


def ring() -> None:
    """Wake a worker once the caller's transaction is safe; if nobody hears, beat sweeps."""
    transaction.on_commit(lambda: doorbell.ring(TASK))


def scan_queued(*, shift: float = SHIFT_SECONDS) -> int:
    """Scan what waits and what nobody else has in hand; answer how many files it was.

    After ``shift`` seconds nothing more is begun, and another is woken for the rest.
    """
    total, end = 0, time.monotonic() + shift
    names: dict[int, Mapping[bytes, str]] = {}
    with Scanners() as scanners:
        while claims := scan_claims.claim():
            reach(Point.SCAN_CLAIMED)
            waiting = list(claims)
            try:
                for repo_id, of_repo in _by_repo(claims).items():
                    total += _scan_repo(repo_id, of_repo, _Hands(scanners, names, waiting, end))
            finally:
                scan_claims.let_go(waiting)
            if time.monotonic() >= end:
                doorbell.ring(TASK)
                break
    return total


@dataclass(frozen=True, slots=True)
class _Hands:
    """What it takes to scan, and what is in hand."""

    scanners: Scanners
    names: dict[int, Mapping[bytes, str]]
    """By repo."""
    waiting: list[Claim]
    """Those that were not begun yet."""
    end: float
    """When nothing more is begun."""


def _by_repo(claims: Iterable[Claim]) -> dict[int, list[Claim]]:
    found: dict[int, list[Claim]] = defaultdict(list)
    for claim in claims:
        found[claim.repo_id].append(claim)
    return found


def _scan_repo(repo_id: int, claims: Sequence[Claim], hands: _Hands) -> int:
    repo = Repo.objects.select_related("namespace").filter(pk=repo_id).first()
    if repo is None:
        return 0
    if repo_id not in hands.names:
        hands.names[repo_id] = names_in(repo)
    known = _known_elsewhere([claim.key for claim in claims])
    done: list[tuple[Claim, Verdict | None]] = []
    try:
        for claim in claims:
            if time.monotonic() >= hands.end:
                break
            hands.waiting.remove(claim)
            if verdict := known.get(claim.key):
                done.append((claim, verdict))
            elif begun := scan_claims.begin(claim):
                done.append((begun[0], _verdict_on(repo, *begun, hands)))
    finally:
        # What was looked at is kept, whatever became of the one after it.
        reach(Point.SCAN_LOOKED)
        _settle(repo, done)
    return len(done)


def _verdict_on(repo: Repo, claim: Claim, attempt: int, hands: _Hands) -> Verdict | None:
    if attempt > MOST_ATTEMPTS:
        return failure("Scanning this file was given up: it never came to an end.")
    try:
        return _look(repo, claim.key, hands.names[repo.pk].get(claim.key, ""), hands.scanners)
    except (OSError, DatabaseError, Unavailable):
        # The store or the database is away, which says nothing about the file.
        scan_claims.not_begun(claim)
        raise


_ELSEWHERE = """
SELECT DISTINCT ON (key) key, details FROM hub_scan
WHERE key = ANY(%s) AND rules = %s AND state <> 'queued' AND state <> 'error'
"""


def _known_elsewhere(keys: Iterable[bytes]) -> dict[bytes, Verdict]:
    """Verdicts on the same large files in other repos; of git's ids we do not believe that much."""
    large = [key for key in keys if len(key) == _SHA256_BYTES]
    rows = sql.rows(_ELSEWHERE, [large, RULES]) if large else []
    return {key: Verdict.from_json(details) for key, details in rows}


def names_in(repo: Repo) -> dict[bytes, str]:
    """By key of its verdict what each file is called in the refs that moved last."""
    if _files_of(repo) > MOST_NAMED:
        return {}
    tips = sql.rows(
        "SELECT oid FROM git_ref WHERE repo_id = %s ORDER BY updated_at DESC LIMIT %s",
        [repo.pk, _HEADS],
    )
    oids = [oid for (oid,) in tips]
    tags = known_chains(repo.pk, oids)
    targets = [tags[oid].target if oid in tags else oid for oid in oids]
    found: dict[bytes, str] = {}
    for commit in commits_by_oid(repo.pk, targets).values():
        files = [entry for entry in list_all(repo.pk, commit, ROOT) if not entry.is_folder]
        for entry in facts_of(repo.pk, files):
            key = entry.large.sha256 if entry.large else entry.oid
            found.setdefault(key, entry.path)
    return found


def _files_of(repo: Repo) -> int:
    row = sql.row(
        "SELECT count(*) FROM (SELECT FROM hub_scan WHERE repo_id = %s LIMIT %s) scan",
        [repo.pk, MOST_NAMED + 1],
    )
    return int(row[0]) if row else 0


def _look(repo: Repo, key: bytes, name: str, scanners: Scanners) -> Verdict | None:
    """Look at one file; None where there is none any more."""
    try:
        with unreadable_as_damage():
            content = stored(repo, key, name)
            verdict = scanners.scan(name, content.size, content.read)
            return verdict.and_also(_ask_clamd(content))
    except NotFound:
        return None
    except (BadObject, Damaged) as fault:
        return trouble("scan", Status.ERROR, fault.message)


def stored(repo: Repo, key: bytes, name: str) -> Content:
    """The bytes on which a verdict is kept under ``key``.

    Raises:
        NotFound: the repo does not have them any more.
        Damaged: they are.
    """
    if len(key) == _SHA256_BYTES:
        return stored_large(repo, key, name)
    raw = read_raw(repo.pk, key)[1]
    return Content(name, "", len(raw), lambda start, stop: iter([raw[start:stop]]))


def _ask_clamd(content: Content) -> Verdict:
    if not settings.CLAMD_SOCKET or not content.size:
        return Verdict()
    half = MOST_BYTES // 2
    pieces = content.read(0, min(content.size, MOST_BYTES))
    if content.size > MOST_BYTES:
        end = content.read(max(content.size - half, half), content.size)
        pieces = chain(content.read(0, half), end)
    return ask_clamd(settings.CLAMD_SOCKET, pieces)


@dataclass(frozen=True, slots=True)
class _Settled:
    """What became of a row."""

    key: bytes
    old: str
    new: Status


_NOTE = """
WITH was AS (SELECT id, state, before FROM hub_scan WHERE id = %(id)s::bigint AND state = 'queued'
    FOR UPDATE)
UPDATE hub_scan s SET state = %(state)s::text, before = '', rules = %(rules)s::int,
    details = %(details)s::jsonb, attempts = 0, claimed_until = NULL, scanned_at = now(),
    released_at = CASE WHEN was.before = %(state)s::text OR %(is_harmless)s::bool
        THEN s.released_at END
FROM was WHERE s.id = was.id RETURNING was.before
"""


@transaction.atomic
def _settle(repo: Repo, done: Sequence[tuple[Claim, Verdict | None]]) -> None:
    """Write verdicts down, and tell of those that are not harmless, or were not before."""
    # The lock of whoever publishes is taken after those of the rows there, too.
    settled: list[_Settled] = []
    for claim, verdict in sorted(done, key=lambda one: one[0].id):
        if verdict is None:
            Scan.objects.filter(pk=claim.id, state=Scan.State.QUEUED).delete()
        elif (old := _note(claim, verdict)) is not None:
            settled.append(_Settled(claim.key, old, verdict.status))
    leaks.revoke(repo, [verdict for _claim, verdict in done if verdict and verdict.leaked])
    told = [one for one in settled if _is_news(one)]
    if told:
        files = tuple(FileVerdict(one.key.hex(), one.new.value) for one in told)
        outbox.announce(repo.pk, SecurityChanged(files), by=None)


def _note(claim: Claim, verdict: Verdict) -> str | None:
    """Write one verdict down; answer the one before, None where another was faster."""
    values = {
        "id": claim.id,
        "state": verdict.status.value,
        "rules": RULES,
        "details": json.dumps(verdict.to_json()),
        "is_harmless": verdict.status not in _ISSUES,
    }
    row = sql.row(_NOTE, values)
    return None if row is None else str(row[0])


def _is_news(one: _Settled) -> bool:
    was_bad = one.old in {status.value for status in _ISSUES}
    return one.new.value != one.old and (one.new in _ISSUES or was_bad)


_DUE = """
WITH due AS MATERIALIZED (
    SELECT id FROM hub_scan WHERE state <> 'queued' AND (rules < %s
    OR (state = 'error' AND scanned_at < now() - interval '1 day'))
    ORDER BY id DESC LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE hub_scan SET state = 'queued', before = state, attempts = 0, claimed_until = NULL
WHERE id IN (SELECT id FROM due)
"""


def renew() -> int:
    """Let files be scanned anew whose verdict is of older rules, or was none; the newest first.

    Until then the old verdict holds. Answers how many were due.
    """
    count = sql.run(_DUE, [RULES, RENEWED_AT_ONCE])
    if count:
        ring()
    return count


_WITH_TOKENS = """
UPDATE hub_scan SET state = 'queued', before = state, attempts = 0, claimed_until = NULL
WHERE repo_id = %s AND state IN ('caution', 'error', 'suspicious', 'unsafe')
AND details -> 'leaked' <> '[]'
"""


def look_again_for_tokens(repo_id: int) -> None:
    """Have those files scanned anew that hold tokens of this hub, within the transaction."""
    if sql.run(_WITH_TOKENS, [repo_id]):
        ring()
