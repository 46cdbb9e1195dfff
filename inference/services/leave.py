"""Leave: the token with which a worker fetches a model for somebody, and nothing else."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from hub.models import Repo
from inference.errors import StillFetching
from inference.serving.line import ANYBODY
from teams.models import User
from teams.roles import Permission
from teams.services import tokens
from teams.services.tokens import Allowed

_LASTS = timedelta(hours=2)
_READING = frozenset({Permission.CONTENT_READ, Permission.GATED_READ})


@contextmanager
def leave_to_read(repo: Repo, user: User | None, *others: Repo) -> Iterator[str]:
    """A token that reads these repos as ``user`` may, and ends with the block."""
    repos = (repo, *others)
    if user is None or not any(one.private or one.gate for one in repos):
        yield ANYBODY
        return
    job = f"model-{secrets.token_hex(8)}"
    may = [Allowed(_READING, namespace_id=one.namespace_id, repo_id=one.pk) for one in repos]
    _token, secret = tokens.issue_for_job(job=job, user=user, may=may, lasts=_LASTS)
    is_over = True
    try:
        yield secret
    except StillFetching:
        # Whoever asked has gone; the worker fetches on, and the token ends by itself.
        is_over = False
        raise
    finally:
        if is_over:
            tokens.revoke_all_for(f"job:{job}")
