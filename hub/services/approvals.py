"""Approve a pull request as it is now; what is added later is not approved with it."""

from django.db import transaction

from hub.errors import DiscussionOver
from hub.events import PullRequestApproved
from hub.models import Approval, Discussion
from hub.policies import check_can
from hub.services import outbox
from hub.services.discussion_log import locked
from teams.errors import Forbidden, Invalid, Stale, Unauthenticated
from teams.policies import Principal
from teams.roles import Action


@transaction.atomic
def approve(*, discussion: Discussion, by: Principal, head: str = "") -> Approval:
    """Approve a pull request; ``head`` is the commit that the approver has looked at.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        Forbidden: it is their own.
        Invalid: it is no pull request.
        DiscussionOver: it is closed or merged.
        Stale: it is no longer at ``head``.
    """
    check_can(by, Action.REPO_WRITE, discussion.repo)
    if by.user is None:
        raise Unauthenticated
    if not discussion.is_pull_request:
        raise Invalid("This is no pull request, so there is nothing to approve.")
    fresh = locked(discussion)
    if not fresh.is_ongoing:
        raise DiscussionOver(f"This pull request is {fresh.status} already.")
    if fresh.author_id == by.user.pk:
        raise Forbidden("A second person has to approve what you propose.")
    if fresh.head is None or not bytes(fresh.head).hex().startswith(head):
        raise Stale("The pull request changed since you looked at it.")
    approval, _is_new = Approval.objects.update_or_create(
        discussion=fresh, user=by.user, defaults={"head": fresh.head}
    )
    news = PullRequestApproved(fresh.num, bytes(fresh.head).hex())
    outbox.announce(fresh.repo_id, news, by=by.user)
    return approval


def withdraw(*, discussion: Discussion, by: Principal) -> None:
    """Take one's approval back, once however often it is said.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
    """
    check_can(by, Action.REPO_WRITE, discussion.repo)
    Approval.objects.filter(discussion=discussion, user=by.user).delete()
