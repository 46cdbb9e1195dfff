"""What views share by which a revision is changed: by writers, and by who proposes a change."""

from hub.http.repo_views import OfRepo
from hub.policies import check_can, check_can_write_to
from teams.http.pagination import flag
from teams.roles import Action


class ToRevision(OfRepo):
    """Lets writers change any revision, authors of pull requests theirs, and readers propose.

    ``create_pr`` in the query is how clients say that they propose. The route gives ``revision``.
    """

    def check(self, action: Action) -> None:
        super().check(Action.REPO_SEE)
        if self.proposes:
            check_can(self.principal, Action.REPO_PROPOSE, self.repo)
        else:
            check_can_write_to(self.principal, self.repo, self.kwargs["revision"])

    @property
    def proposes(self) -> bool:
        """Whether a new pull request is asked for."""
        return flag(self.request, "create_pr")
