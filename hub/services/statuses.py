"""What CI systems report about commits."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from hub.events import StatusReported
from hub.models import CommitStatus, Repo
from hub.models.protection import MAX_CONTEXT
from hub.policies import check_can
from hub.queries.history import CommitRow
from hub.services import outbox
from teams.errors import Conflict, Invalid
from teams.policies import Principal
from teams.roles import Action

MAX_CONTEXTS = 100
"""Per commit."""
_MAX_DESCRIPTION = 200
_MAX_URL = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one check, by the name of the check."""

    context: str
    state: str
    description: str = ""
    target_url: str = ""


@transaction.atomic
def report(*, repo: Repo, commit: CommitRow, outcome: Report, by: Principal) -> CommitStatus:
    """Write down what a check says of a commit, in place of what it said before.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        Invalid: a part of ``outcome`` cannot be.
        Conflict: too many checks have reported on the commit.
    """
    check_can(by, Action.REPO_WRITE, repo)
    _check(outcome)
    # It counts the version up first, which is also the lock under which contexts are counted.
    news = StatusReported(commit.oid.hex(), outcome.context, outcome.state, outcome.target_url)
    outbox.announce(repo.pk, news, by=by.user)
    status, is_new = CommitStatus.objects.update_or_create(
        repo=repo,
        oid=commit.oid,
        context=outcome.context,
        defaults={
            "state": outcome.state,
            "description": outcome.description,
            "target_url": outcome.target_url,
            "reported_by": by.user,
            "updated_at": timezone.now(),
        },
    )
    of_commit = CommitStatus.objects.filter(repo=repo, oid=commit.oid)
    if is_new and of_commit.count() > MAX_CONTEXTS:
        raise Conflict(f"A commit has {MAX_CONTEXTS} statuses at most.")
    return status


def _check(outcome: Report) -> None:
    if outcome.state not in set(CommitStatus.State):
        raise Invalid(f"state must be one of {', '.join(CommitStatus.State)}.")
    if not 0 < len(outcome.context) <= MAX_CONTEXT:
        raise Invalid(f"context must have 1 to {MAX_CONTEXT} characters.")
    if len(outcome.description) > _MAX_DESCRIPTION:
        raise Invalid(f"description has {_MAX_DESCRIPTION} characters at most.")
    _check_url(outcome.target_url)


def _check_url(url: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if len(url) > _MAX_URL or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise Invalid("target_url must be an http or https address.")
