"""Put repos into resource groups and take them out; give roles on repos."""

from django.db import transaction

from hub.models import Repo
from hub.policies import check_can, place_of
from hub.services.auditing import record_of
from teams.errors import Forbidden, NotFound
from teams.models import Grant, ResourceGroup
from teams.policies import Principal
from teams.roles import Action, Role
from teams.services import grants
from teams.services.grants import GrantWish


def put(*, repo: Repo, group_id: int | None, by: Principal) -> None:
    """Let ``repo`` be in a resource group of its organisation, or in none.

    Both change who may know of it, so only admins of the whole organisation do it.

    Raises:
        RepoNotFound: ``by`` may not know of the repo.
        Forbidden: ``by`` is no admin of the organisation.
        NotFound: the organisation has no such group.
    """
    check_can(by, Action.REPO_PROTECT, repo)
    if by.role_in(repo.namespace_id) < Role.ADMIN:
        raise Forbidden(f"Only admins of {repo.namespace} may do this.")
    group = _group(repo, group_id)
    with transaction.atomic():
        Repo.objects.filter(pk=repo.pk).update(resource_group=group)
        told = {"old": repo.resource_group_id, "new": group_id}
        record_of(repo, "repo.update_resource_group", by=by.user, group=told)
    repo.resource_group = group


def _group(repo: Repo, group_id: int | None) -> ResourceGroup | None:
    if group_id is None:
        return None
    found = ResourceGroup.objects.filter(pk=group_id, namespace=repo.namespace_id).first()
    if found is None:
        raise NotFound("There is no such resource group.")
    return found


def give(*, repo: Repo, wish: GrantWish, by: Principal) -> Grant:
    """Give a user or a team a role on one repo.

    Raises:
        RepoNotFound: ``by`` may not know of the repo.
        Forbidden: ``by`` is no admin of it.
        Refusal: as :func:`teams.services.grants.give`.
    """
    check_can(by, Action.REPO_PROTECT, repo)
    return grants.give(on=place_of(repo), wish=wish, by=by)


def take(*, repo: Repo, grant: Grant, by: Principal) -> None:
    """Take back what was given on one repo.

    Raises:
        Refusal: as :func:`give`.
    """
    check_can(by, Action.REPO_SEE, repo)
    grants.take(grant=grant, by=by, on=place_of(repo))
