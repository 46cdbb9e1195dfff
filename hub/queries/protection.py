"""Reads of rules, statuses, approvals and promotions."""

from collections.abc import Iterable, Sequence

from django.db.models import QuerySet

from hub.models import Approval, CommitStatus, Discussion, Promotion, RefRule, Repo
from teams.errors import NotFound

_ORDER = (
    CommitStatus.State.FAILURE,
    CommitStatus.State.ERROR,
    CommitStatus.State.PENDING,
    CommitStatus.State.SUCCESS,
)
"""The worst of them is what all come to."""


def rules_of(repo: Repo) -> Sequence[RefRule]:
    return list(repo.ref_rules.prefetch_related("movers__namespace").order_by("kind", "pattern"))


def statuses_of(repo: Repo, oid: bytes) -> Sequence[CommitStatus]:
    """What was reported on a commit, by name."""
    found = CommitStatus.objects.filter(repo=repo, oid=oid)
    return list(found.select_related("reported_by__namespace").order_by("context"))


def combined(statuses: Iterable[CommitStatus]) -> str:
    """What the statuses of one commit come to; pending if there are none."""
    states = {status.state for status in statuses}
    return next((one.value for one in _ORDER if one in states), CommitStatus.State.PENDING.value)


def approvals_of(discussion: Discussion) -> Sequence[Approval]:
    """Who approved a pull request as it is now, oldest first."""
    found = Approval.objects.filter(discussion=discussion, head=discussion.head)
    return list(found.select_related("user__namespace").order_by("created_at"))


def promotions_of(
    repo: Repo, *, tag: str = "", before: int | None = None, limit: int
) -> Sequence[Promotion]:
    """The newest first; ``before`` is the number of the last one of the page before."""
    found = _whole().filter(repo=repo)
    if tag:
        found = found.filter(tag=tag)
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found.order_by("-pk")[:limit])


def promotion_of(repo: Repo, number: int) -> Promotion:
    """Find one by its number.

    Raises:
        NotFound: the repo has no such promotion.
    """
    found = _whole().filter(repo=repo, pk=number).first()
    if found is None:
        raise NotFound("There is no such promotion.")
    return found


def _whole() -> QuerySet[Promotion]:
    return Promotion.objects.select_related(
        "repo__namespace", "asked_by__namespace", "decided_by__namespace"
    ).prefetch_related("approvers__namespace")
