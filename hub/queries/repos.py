"""One repo by name, asked for by somebody, for something."""

from hub.errors import RepoNotFound
from hub.models import Repo, RepoRedirect, sql
from hub.names import RepoKind, RepoName
from hub.policies import check_can
from teams.models import Namespace
from teams.models.loading import Columns
from teams.policies import Principal
from teams.roles import Action

_REPO, _NAMESPACE = Columns(Repo, "r"), Columns(Namespace, "n")
_BY_NAME = f"""
SELECT {_REPO}, {_NAMESPACE}
FROM hub_repo r JOIN teams_namespace n ON n.id = r.namespace_id
WHERE r.kind = %s AND lower(n.name) = %s AND lower(r.name) = %s
"""


def find_repo(kind: RepoKind, name: RepoName) -> Repo | None:
    """Find a repo by its present name, in any case; whether one may see it is not asked here."""
    row = sql.row(_BY_NAME, [kind.value, name.namespace.lower(), name.name.lower()])
    if row is None:
        return None
    values = iter(row)
    repo = _REPO.load(values)
    repo.namespace = _NAMESPACE.load(values)
    return repo


def repo_for(principal: Principal, action: Action, kind: RepoKind, name: RepoName) -> Repo:
    """Answer the repo if ``principal`` may do ``action`` to it.

    Raises:
        RepoNotFound: it is not there, or not for them; the two answers are the same.
        Refusal: as :func:`hub.policies.check_can`.
    """
    repo = find_repo(kind, name)
    if repo is None:
        raise RepoNotFound
    check_can(principal, action, repo)
    return repo


def repo_now_called(kind: RepoKind, old: RepoName) -> Repo | None:
    """Answer the repo that had the name ``old`` before; None if no repo had it."""
    redirect = (
        RepoRedirect.objects.select_related("repo", "repo__namespace")
        .filter(kind=kind, old_name=str(old).lower())
        .first()
    )
    return redirect.repo if redirect else None
