"""Events: of whatever counted a repo's version up there is one, for as long as events are kept."""

from collections.abc import Iterator

from hub.models import Repo, sql

# Events are forgotten after thirty days, the oldest first: what is younger has no hole.
_COUNTED = """
SELECT r.version, recent.first, (SELECT count(*) FROM hub_event e
    WHERE e.repo_id = r.id AND e.seq BETWEEN recent.first AND r.version)
FROM hub_repo r CROSS JOIN LATERAL (SELECT min(seq) AS first FROM hub_event e
    WHERE e.repo_id = r.id AND e.created_at > now() - interval '29 days') recent
WHERE r.id = %s AND recent.first IS NOT NULL
"""


def event_faults(repo: Repo) -> Iterator[str]:
    """No change of the last weeks is without its event: webhooks would never hear of it."""
    for version, first, count in sql.rows(_COUNTED, [repo.pk]):
        if count != version - first + 1:
            yield f"{version - first + 1} changes from {first} to {version} have {count} events"
