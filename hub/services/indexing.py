"""Find out which paths the commits of a long push changed: what was too much for its request."""

from collections.abc import Sequence
from functools import partial

import structlog
from django.db import transaction

from hub.crashpoints import Point, reach
from hub.errors import BadPath
from hub.git.tree_diff import Pair, all_differences, differences
from hub.models import PendingIndex, sql
from hub.queries.history import CommitRow, commits_by_oid, commits_of_line
from hub.queries.objects import parsed_trees
from hub.services import doorbell
from hub.services.filing import Place, file_changes

log = structlog.get_logger(__name__)

COMMITS_AT_A_TIME = 200
TASK = "hub.tasks.history.index_pending"


def ring() -> None:
    """Wake a worker once the caller's transaction is safe; if nobody hears, beat sweeps."""
    transaction.on_commit(partial(doorbell.ring, TASK))


def index_pending() -> int:
    """Work off all that waits and that nobody else works on; answer how many commits it was."""
    total = 0
    for pk, repo_id in PendingIndex.objects.order_by("pk").values_list("pk", "repo_id"):
        while count := _index_some(pk, repo_id):
            reach(Point.INDEX_COMMITTED)
            total += count
    return total


@transaction.atomic
def _index_some(pk: int, repo_id: int) -> int:
    # The repo stays while we file changes under it; and nothing that we read is collected.
    sql.run("SELECT 1 FROM hub_repo WHERE id = %s FOR KEY SHARE", [repo_id])
    sql.run("SELECT pg_advisory_xact_lock_shared(%s)", [repo_id])
    waiting = PendingIndex.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if waiting is None:
        return 0
    end = min(waiting.last_pos, waiting.next_pos + COMMITS_AT_A_TIME - 1)
    commits = commits_of_line(repo_id, waiting.line, waiting.next_pos, end)
    parents = commits_by_oid(repo_id, (one.parents[0] for one in commits if one.parents))
    places = (Place(one.line, one.pos) for one in commits)
    changes = _changes(repo_id, [(parents.get(_first(one)), one) for one in commits])
    file_changes(repo_id, zip(places, changes, strict=True))
    count = end - waiting.next_pos + 1
    if end == waiting.last_pos:
        waiting.delete()
    else:
        waiting.next_pos = end + 1
        waiting.save(update_fields=["next_pos"])
    reach(Point.INDEX_FILED)
    return count


def _first(commit: CommitRow) -> bytes:
    return commit.parents[0] if commit.parents else b""


def _changes(
    repo_id: int, steps: Sequence[tuple[CommitRow | None, CommitRow]]
) -> list[dict[str, bool]]:
    pairs = [(parent.tree if parent else None, commit.tree) for parent, commit in steps]
    read = partial(parsed_trees, repo_id)
    try:
        return list(all_differences(read, pairs))
    except BadPath:
        return [
            _changes_of(repo_id, commit, pair)
            for (_, commit), pair in zip(steps, pairs, strict=True)
        ]


def _changes_of(repo_id: int, commit: CommitRow, pair: Pair) -> dict[str, bool]:
    try:
        return differences(partial(parsed_trees, repo_id), *pair)
    except BadPath as problem:
        # Its head was within bounds when it was pushed; what was before is not worth a stop.
        log.warning(
            "commit_not_indexed", repo=repo_id, commit=commit.oid.hex(), reason=str(problem)
        )
        return {}
