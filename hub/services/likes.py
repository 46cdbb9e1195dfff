"""Like and unlike; the counter changes in the same transaction as the row that it counts."""

from django.db import transaction

from hub.errors import RepoNotFound
from hub.models import Repo, sql
from hub.policies import check_can
from teams.errors import Unauthenticated
from teams.policies import Principal
from teams.roles import Action

# The lock makes a like wait for a repo that is just being deleted, and then find none.
_LIKE = """
INSERT INTO hub_like (user_id, repo_id, created_at)
SELECT %s, id, now() FROM hub_repo WHERE id = %s FOR KEY SHARE
ON CONFLICT (user_id, repo_id) DO NOTHING
"""
_UNLIKE = "DELETE FROM hub_like WHERE user_id = %s AND repo_id = %s"
_COUNT = "UPDATE hub_repo SET likes = likes + %s WHERE id = %s"


def like(*, repo: Repo, by: Principal) -> int:
    """Like a repo, once however often it is said; answer how many like it now.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        RepoNotFound: it was deleted meanwhile.
    """
    return _change(_LIKE, 1, repo, by)


def unlike(*, repo: Repo, by: Principal) -> int:
    """Take a like back; answer how many like the repo now.

    Raises:
        Refusal: as :func:`like`.
    """
    return _change(_UNLIKE, -1, repo, by)


def _change(statement: str, step: int, repo: Repo, by: Principal) -> int:
    check_can(by, Action.REPO_LIKE, repo)
    if by.user is None:
        raise Unauthenticated
    with transaction.atomic():
        if sql.run(statement, [by.user.pk, repo.pk]):
            sql.run(_COUNT, [step, repo.pk])
        row = sql.row("SELECT likes FROM hub_repo WHERE id = %s", [repo.pk])
    if row is None:
        raise RepoNotFound
    return int(row[0])
