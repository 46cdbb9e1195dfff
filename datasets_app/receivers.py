"""What we do when hub announces that a dataset changed: ask for a plan, in the same transaction."""

from django.dispatch import receiver

from datasets_app.services.kinds import PLAN
from hub.events import RefsMoved
from hub.git.refs import BRANCHES
from hub.models import Repo
from hub.names import RepoKind
from hub.services import jobs
from hub.services.outbox import announced


@receiver(announced, sender=RefsMoved)
def ask_for_a_plan(*, repo_id: int, news: RefsMoved, **_rest: object) -> None:
    """One plan waits per dataset: it looks at the head that there is when its turn comes."""
    moved = {move.ref for move in news.refs if move.new is not None}
    if not any(ref.startswith(BRANCHES) for ref in moved):
        return
    repo = Repo.objects.filter(pk=repo_id, kind=RepoKind.DATASET).first()
    if repo is not None and BRANCHES + repo.default_branch in moved:
        jobs.request(PLAN, params={}, repo=repo, key=str(repo_id), priority=3)
