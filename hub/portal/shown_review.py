"""What others and CI say of a pull request, as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.models import CommitStatus, Discussion
from hub.policies import can
from hub.queries.protection import approvals_of, statuses_of
from hub.services.protection import missing_for_merge
from teams.policies import Principal
from teams.roles import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReview:
    """Checks and approvals of a pull request as it is now."""

    statuses: Sequence[CommitStatus]
    approved_by: list[str]
    missing: str
    """What a rule still wants before it can be merged; empty if nothing."""
    may_approve: bool
    may_withdraw: bool

    @classmethod
    def of(cls, discussion: Discussion, reader: Principal) -> "ShownReview":
        head = bytes(discussion.head or b"")
        approvals = approvals_of(discussion)
        viewer = reader.user
        has_approved = viewer is not None and any(one.user_id == viewer.pk for one in approvals)
        may_write = can(reader, Action.REPO_WRITE, discussion.repo)
        is_own = viewer is not None and viewer.pk == discussion.author_id
        return cls(
            statuses=statuses_of(discussion.repo, head),
            approved_by=[one.user.name for one in approvals],
            missing=missing_for_merge(discussion, head) if discussion.repo.is_guarded else "",
            may_approve=may_write and not is_own and not has_approved,
            may_withdraw=may_write and has_approved,
        )
