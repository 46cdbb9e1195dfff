"""One repo by name, asked for by somebody, for something."""

from django.db.models.functions import Lower

from hub.errors import RepoNotFound
from hub.models import Repo, RepoRedirect
from hub.names import RepoKind, RepoName
from hub.policies import check_can
from teams.policies import Principal
from teams.roles import Action


def find_repo(kind: RepoKind, name: RepoName) -> Repo | None:
    """Find a repo by its present name, in any case; whether one may see it is not asked here."""
    # Lower, not iexact, which compares in upper case: the unique indexes are in lower case.
    return (
        Repo.objects.select_related("namespace")
        .alias(owner=Lower("namespace__name"), short=Lower("name"))
        .filter(kind=kind, owner=name.namespace.lower(), short=name.name.lower())
        .first()
    )


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
