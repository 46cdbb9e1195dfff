"""Count downloads as they happen, and recount what lists sort by.

``trending`` is the number of likes of the last seven days plus the natural logarithm of one plus
the downloads of those days, where a like or download counts half as much with every two days of
age. So one more like weighs as much as 2.7 times the downloads, and no script that downloads in a
loop can push a repo far up. Age is in whole days (UTC): a quiet repo's score changes once a day.
"""

from datetime import timedelta

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from hub.models import Repo, sql

WINDOW = timedelta(minutes=5)
"""What one caller fetches from one repo within this time is one download."""
DAYS_SHOWN = 30
DAYS_TRENDING = 7
HALF_LIFE = 2.0
"""Days after which a like or download counts half for ``trending``."""
_BATCH = 1000
"""Repos per transaction: a recount never holds the rows of many repos for long."""

# Losing a count in a crash is no harm; waiting for the disk at each download would be one.
_COUNT = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO hub_downloadday (repo_id, day, count)
SELECT r.id, (now() AT TIME ZONE 'UTC')::date, 1 FROM quick, hub_repo r WHERE r.id = %s
ON CONFLICT (repo_id, day) DO UPDATE SET count = hub_downloadday.count + 1
"""

_ACTIVE = """
SELECT repo_id FROM hub_downloadday WHERE day > (now() AT TIME ZONE 'UTC')::date - %(days)s - 3
UNION SELECT repo_id FROM hub_like WHERE created_at > now() - make_interval(days => %(days)s + 3)
UNION SELECT id FROM hub_repo WHERE downloads > 0 OR trending > 0
ORDER BY 1
"""

_RECOUNT = """
WITH today AS (SELECT (now() AT TIME ZONE 'UTC')::date AS day),
downloaded AS (
    SELECT d.repo_id, sum(d.count) AS ever,
        sum(d.count) FILTER (WHERE d.day > t.day - %(days)s) AS shown,
        sum(d.count * power(0.5, (t.day - d.day) / %(half_life)s::float8))
            FILTER (WHERE d.day > t.day - %(trending)s) AS recent
    FROM hub_downloadday d, today t WHERE d.repo_id = ANY(%(repos)s) GROUP BY d.repo_id
),
liked AS (
    SELECT l.repo_id,
        sum(power(0.5, (t.day - (l.created_at AT TIME ZONE 'UTC')::date) / %(half_life)s::float8))
            AS recent
    FROM hub_like l, today t
    WHERE l.repo_id = ANY(%(repos)s)
        AND (l.created_at AT TIME ZONE 'UTC')::date > t.day - %(trending)s
    GROUP BY l.repo_id
),
score AS (
    SELECT r.id, coalesce(d.shown, 0) AS shown, coalesce(d.ever, 0) AS ever,
        round((coalesce(l.recent, 0) + ln(1 + coalesce(d.recent, 0)))::numeric, 6)::float8
            AS trending
    FROM unnest(%(repos)s::bigint[]) AS r(id)
    LEFT JOIN downloaded d ON d.repo_id = r.id
    LEFT JOIN liked l ON l.repo_id = r.id
)
UPDATE hub_repo r SET downloads = s.shown, downloads_all_time = s.ever, trending = s.trending
FROM score s
WHERE s.id = r.id AND (r.downloads, r.downloads_all_time, r.trending)
    IS DISTINCT FROM (s.shown, s.ever, s.trending)
"""


_SEEN = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO hub_downloadseen AS s (repo_id, caller, until)
SELECT %(repo)s, %(caller)s, now() + %(window)s FROM quick
ON CONFLICT (repo_id, caller) DO UPDATE SET until = excluded.until WHERE s.until < now()
"""


def note(repo: Repo, caller: str) -> None:
    """Count a download by ``caller``, unless they are in the middle of one from the same repo.

    A snapshot is many requests; all within five minutes of the first are one download.
    """
    who = salted_hmac("hub.services.downloads", caller, algorithm="sha256").digest()[:16]
    window = f"repo-download-{repo.pk}-{who.hex()}"
    if not cache.add(window, value=True, timeout=WINDOW.total_seconds()):
        return
    if sql.run(_SEEN, {"repo": repo.pk, "caller": who, "window": WINDOW}):
        count(repo)


def forget() -> int:
    """Drop who downloaded just now once it was long enough ago; answer how many."""
    return sql.run("DELETE FROM hub_downloadseen WHERE until < now()")


def count(repo: Repo) -> None:
    """Count one download, today. Call it outside of any transaction whose outcome must last."""
    sql.run(_COUNT, [repo.pk])


def recount() -> int:
    """Bring downloads and trending of all active repos up to date; answer how many changed."""
    active = [repo_id for (repo_id,) in sql.rows(_ACTIVE, {"days": DAYS_SHOWN})]
    changed = 0
    for start in range(0, len(active), _BATCH):
        values = {
            "repos": active[start : start + _BATCH],
            "days": DAYS_SHOWN,
            "trending": DAYS_TRENDING,
            "half_life": HALF_LIFE,
        }
        changed += sql.run(_RECOUNT, values)
    return changed
