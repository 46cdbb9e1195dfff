"""A repo's facts, the queryset of what a principal may see, and the pairs ``check_…`` / ``can_…``.

The rule itself is ``teams.policies.decide``; here stands only how a repo's facts are collected and
which refusal a «no» becomes. Nothing is told of a hidden repo that is not told of a missing one.
"""

from django.db.models import Q

from hub.errors import GatedRepo, RepoNotFound
from hub.models import Repo
from teams.errors import Forbidden, Refusal, Unauthenticated
from teams.models import Namespace
from teams.policies import Facts, Principal, decide
from teams.roles import Action, Role


def facts_of(repo: Repo, principal: Principal) -> Facts:
    """Collect what the rule needs to know of ``repo`` for ``principal``."""
    return Facts(
        role=principal.role_in(repo.namespace_id),
        is_public=not repo.private,
        is_gated=bool(repo.gate),
        is_creator=principal.user is not None and repo.created_by_id == principal.user.pk,
    )


def check_can(principal: Principal, action: Action, repo: Repo) -> None:
    """Refuse unless ``principal`` may do ``action`` to ``repo``.

    Raises:
        RepoNotFound: they may not even know that it exists.
        GatedRepo: they would first have to be granted access.
        Unauthenticated: signing in might help.
        Forbidden: they may see it, and no more.
    """
    decision = decide(principal, action, facts_of(repo, principal))
    if decision.allowed:
        return
    if decision.hidden:
        raise RepoNotFound
    if decision.gated:
        raise GatedRepo(
            f"Access to {repo.kind} {repo} is restricted and you are not in the authorized list. "
            "Ask its owners for access."
        )
    if principal.is_anonymous:
        raise Unauthenticated("You must sign in or send an access token.")
    raise Forbidden(decision.reason)


def can(principal: Principal, action: Action, repo: Repo) -> bool:
    """The same rule asked politely, for pages."""
    try:
        check_can(principal, action, repo)
    except Refusal:
        return False
    return True


def check_can_create_in(principal: Principal, namespace: Namespace) -> None:
    """Refuse unless ``principal`` may create repos in ``namespace``.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: their role, or their token, is too weak.
    """
    decision = decide(principal, Action.REPO_CREATE, Facts(role=principal.role_in(namespace.pk)))
    if decision.allowed:
        return
    if principal.is_anonymous:
        raise Unauthenticated("You must sign in or send an access token.")
    if principal.may_change:
        raise Forbidden(
            f"You do not have the rights to create a repo under the namespace {namespace.name!r}."
        )
    raise Forbidden(decision.reason)


def visible_to(principal: Principal) -> Q:
    """The condition on ``Repo`` rows under which ``principal`` may know of them.

    It is ``decide(…, REPO_SEE, …)`` turned into SQL; a test compares the two row by row.
    """
    readable = readable_namespaces(principal)
    if readable is None:
        return Q()
    public = Q(visibility=Repo.Visibility.PUBLIC)
    return public | Q(namespace_id__in=readable) if readable else public


def readable_namespaces(principal: Principal) -> list[int] | None:
    """The namespaces whose private repos ``principal`` may know of; None is all of them."""
    if principal.rules_all:
        return None
    return [pk for pk, role in principal.roles.items() if role >= Role.READ]
