"""announce: write the Event in the transaction that causes it, and tell who listens.

A receiver of ``announced`` runs inside that transaction: it may write rows and nothing else, so
that a change which is rolled back leaves no trace of itself.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.dispatch import Signal

from hub.events import News
from hub.models import sql
from teams.models import User

announced = Signal()
"""Sent with the class of the news as sender, ``repo_id``, ``news`` and ``by``: who did it."""

# The row tells of the repo as it is at this moment, whatever the caller's copy of it says.
_ANNOUNCE = """
WITH repo AS (UPDATE hub_repo SET version = version + 1{setting} WHERE id = %s RETURNING *)
INSERT INTO hub_event (repo_id, seq, scope, action, kind, repo_name, is_private, owner_id,
    group_id, head, actor_id, actor_name, details)
SELECT r.id, r.version, %s, %s, r.kind, o.name || '/' || r.name, r.visibility = 'private', o.id,
    r.resource_group_id, (SELECT g.oid FROM git_ref g
     WHERE g.repo_id = r.id AND g.name = 'refs/heads/' || r.default_branch),
    a.id, coalesce(a.name, ''), %s::jsonb
FROM repo r JOIN teams_namespace o ON o.id = r.namespace_id
LEFT JOIN teams_namespace a ON a.id = %s
"""


def announce(
    repo_id: int, news: News, *, by: User | None, setting: str = "", values: Sequence[Any] = ()
) -> None:
    """Write down, within the caller's transaction, what it made true of a repo.

    It is one statement, which also counts the repo's version up; ``setting`` are more columns of
    the repo's row that change with it, such as ``next_line = %s``, and ``values`` theirs.
    """
    actor = by.namespace_id if by else None
    details = json.dumps(news.details())
    query = _ANNOUNCE.format(setting=f", {setting}" if setting else "")
    sql.send(query, [*values, repo_id, news.scope, news.action, details, actor])
    announced.send(type(news), repo_id=repo_id, news=news, by=by)
