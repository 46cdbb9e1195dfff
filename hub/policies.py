"""A repo's facts, the queryset of what a principal may see, and the pairs ``check_…`` / ``can_…``.

The rule itself is ``teams.policies.decide``; here stands only how a repo's facts are collected and
which refusal a «no» becomes. Nothing is told of a hidden repo that is not told of a missing one.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from hub.errors import CollectionNotFound, GatedRepo, JobNotFound, RepoNotFound
from hub.git.refs import PULL_REQUESTS
from hub.models import (
    AccessRequest,
    Collection,
    Discussion,
    DiscussionEvent,
    Event,
    Job,
    Repo,
    Webhook,
)
from teams.errors import Forbidden, NotFound, Refusal, Unauthenticated
from teams.models import Namespace, Reach, ResourceGroup
from teams.models.standing import Place
from teams.policies import Facts, Principal, check_signed_in, decide
from teams.roles import Action, Permission, Role

_MAX_DIGITS = 10


def facts_of(repo: Repo, principal: Principal) -> Facts:
    """Collect what the rule needs to know of ``repo`` for ``principal``."""
    return Facts(
        role=principal.role_on(place_of(repo)),
        is_public=not repo.private,
        is_gated=bool(repo.gate),
        is_let_in=access_of(repo, principal) == AccessRequest.Status.ACCEPTED,
        is_creator=principal.user is not None and repo.created_by_id == principal.user.pk,
        granted=principal.granted_on(repo.namespace_id, repo.pk),
        is_shut=principal.is_shut_out_of(repo.namespace_id),
    )


def access_of(repo: Repo, principal: Principal) -> str:
    """What became of the caller's access request to a gated repo; empty without one."""
    if not repo.gate or principal.user is None:
        return ""
    if repo.pk not in principal.let_in:
        found = AccessRequest.objects.filter(repo=repo, user=principal.user)
        principal.let_in[repo.pk] = found.values_list("status", flat=True).first() or ""
    return principal.let_in[repo.pk]


def place_of(repo: Repo) -> Place:
    """Where a repo is, as grants name it."""
    return Place(repo.namespace_id, repo.kind, repo.resource_group_id, repo.pk)


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
        raise GatedRepo(_gate_says(repo, principal))
    raise _no(principal, decision.reason)


def _gate_says(repo: Repo, principal: Principal) -> str:
    """What stands between the caller and the files, in the words that clients look for."""
    access = f"Access to {repo.kind} {repo} is restricted"
    if principal.is_anonymous:
        return f"{access}. You must have access to it and be authenticated to access it."
    status = access_of(repo, principal)
    if status == AccessRequest.Status.PENDING:
        return f"{access} and your request is awaiting a review from the repo authors."
    if status == AccessRequest.Status.REJECTED:
        return f"{access} and your request was rejected by the repo's authors."
    if status == AccessRequest.Status.ACCEPTED:
        return f"{access} and this access token may not read gated repos."
    listed = f"{access} and you are not in the authorized list."
    return f"{listed} Visit {settings.PUBLIC_URL}{repo.url} to ask for access."


def _no(principal: Principal, reason: str) -> Refusal:
    """What somebody hears who may know of a thing: signing in might help, or it would not."""
    if principal.is_anonymous:
        return Unauthenticated("You must sign in or send an access token.")
    return Forbidden(reason)


def can(principal: Principal, action: Action, repo: Repo) -> bool:
    """The same rule asked politely, for pages."""
    try:
        check_can(principal, action, repo)
    except Refusal:
        return False
    return True


def check_can_write_to(principal: Principal, repo: Repo, ref: str) -> None:
    """Refuse unless ``principal`` may move ``ref``: a pull request's is its author's, too.

    Raises:
        Refusal: as :func:`check_can`.
    """
    if ref.startswith(PULL_REQUESTS):
        check_can(principal, Action.REPO_PROPOSE, repo)
        if proposed_by(principal, repo).filter(num=_number(ref)).exists():
            return
    check_can(principal, Action.REPO_WRITE, repo)


def check_can_push(principal: Principal, repo: Repo) -> None:
    """Refuse unless there is any ref that ``principal`` may move.

    Raises:
        Refusal: as :func:`check_can`.
    """
    if not (can(principal, Action.REPO_PROPOSE, repo) and proposed_by(principal, repo).exists()):
        check_can(principal, Action.REPO_WRITE, repo)


def proposed_by(principal: Principal, repo: Repo) -> QuerySet[Discussion]:
    """The pull requests that ``principal`` opened, whatever became of them."""
    if principal.user is None:
        return Discussion.objects.none()
    return Discussion.objects.filter(repo=repo, author=principal.user, is_pull_request=True)


def _number(ref: str) -> int:
    text = ref.removeprefix(PULL_REQUESTS)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < _MAX_DIGITS else 0
    return number if str(number) == text else 0


def check_can_tend(principal: Principal, discussion: Discussion) -> None:
    """Refuse unless ``principal`` may change title and status: its author, and writers.

    Raises:
        Refusal: as :func:`check_can`.
    """
    check_can(principal, Action.REPO_DISCUSS, discussion.repo)
    if not _is(principal, discussion.author_id):
        check_can(principal, Action.REPO_WRITE, discussion.repo)


def can_tend(principal: Principal, discussion: Discussion) -> bool:
    try:
        check_can_tend(principal, discussion)
    except Refusal:
        return False
    return True


def check_can_edit(principal: Principal, comment: DiscussionEvent) -> None:
    """Refuse unless ``principal`` may change what ``comment`` says: only who wrote it.

    Raises:
        Refusal: as :func:`check_can`.
    """
    check_can(principal, Action.REPO_DISCUSS, comment.discussion.repo)
    if not _is(principal, comment.author_id):
        raise Forbidden("You may only edit comments of your own.")


def check_can_hide(principal: Principal, comment: DiscussionEvent) -> None:
    """Refuse unless ``principal`` may take ``comment`` away: who wrote it, and writers.

    Raises:
        Refusal: as :func:`check_can`.
    """
    check_can(principal, Action.REPO_DISCUSS, comment.discussion.repo)
    if not _is(principal, comment.author_id):
        check_can(principal, Action.REPO_WRITE, comment.discussion.repo)


def _is(principal: Principal, user_id: int | None) -> bool:
    return principal.user is not None and principal.user.pk == user_id


def check_can_create_in(
    principal: Principal,
    namespace: Namespace,
    action: Action = Action.REPO_CREATE,
    place: Place | None = None,
) -> None:
    """Refuse unless ``principal`` may create repos, or collections, in ``namespace``.

    ``place`` says more closely where: repos of which kind, in which resource group.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: their role, or their token, is too weak.
    """
    facts = Facts(
        role=principal.role_to_begin(place or Place(namespace.pk)),
        granted=principal.granted_on(namespace.pk),
        is_shut=principal.is_shut_out_of(namespace.pk),
    )
    decision = decide(principal, action, facts)
    if decision.allowed:
        return
    thing, reason = action.partition(".")[0], decision.reason
    if principal.may_change and principal.scope is None:
        reason = f"You do not have the rights to create a {thing} under the namespace "
        reason += f"{namespace.name!r}."
    raise _no(principal, reason)


def check_can_give_away(principal: Principal, repo: Repo) -> None:
    """Refuse unless ``principal`` may take ``repo`` out of its namespace: an organisation's admins.

    Raises:
        Forbidden: they may write to it, and no more.
    """
    if principal.role_in(repo.namespace_id) < Role.ADMIN:
        raise Forbidden(f"Only admins of {repo.namespace} may move repos out of it.")


def check_may_know_of_group(principal: Principal, place: Place) -> None:
    """Refuse unless ``principal`` has a role in the resource group of ``place``.

    Raises:
        NotFound: it is not there, or not for them.
    """
    groups = ResourceGroup.objects.filter(pk=place.group_id or 0, namespace=place.namespace_id)
    if principal.role_on(place) < Role.READ or not groups.exists():
        raise NotFound("There is no such resource group.")


def knows_whole_of(principal: Principal, namespace_id: int) -> bool:
    """Whether ``principal`` may read all that a namespace holds: a token that is for some of its
    repos may not, nor may members where some repos are in groups.
    """
    is_for_all = principal.scope is None or Permission.CONTENT_READ in principal.granted_on(
        namespace_id
    )
    role = principal.role_in(namespace_id)
    if role < Role.READ or not is_for_all or namespace_id in principal.shut_out:
        return False
    has_groups = ResourceGroup.objects.filter(namespace_id=namespace_id).exists
    return role >= Role.ADMIN or not has_groups()


def visible_to(principal: Principal) -> Q:
    """The condition on ``Repo`` rows under which ``principal`` may know of them.

    It is ``decide(…, REPO_SEE, …)`` turned into SQL; a test compares the two row by row.
    """
    public, private = Q(visibility=Repo.Visibility.PUBLIC), within_scope(principal)
    if principal.rules_all:
        return public | private if private else Q()
    return public | (_within_reach(principal) & private) if principal.user else public


def _within_reach(principal: Principal) -> Q:
    """The condition under which ``Principal.role_on`` is at least read."""
    mine = namespaces_of(principal)
    found = Q(namespace_id__in=mine.ruled) | Q(namespace_id__in=mine.readable, resource_group=None)
    if not principal.standings.has_grants:
        return found
    granted = Reach.objects.filter(user=principal.user)
    of_its_kind = granted.filter(repo_id=None, kinds__contains=[OuterRef("kind")])
    in_group = of_its_kind.filter(group=OuterRef("resource_group"))
    on_all = of_its_kind.filter(group=None, namespace=OuterRef("namespace"))
    on_it = granted.filter(repo_id=OuterRef("pk"))
    outside = Q(Exists(on_all), resource_group=None)
    return found | Q(Exists(on_it)) | Q(Exists(in_group)) | outside


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Whose private repos somebody may know of: all of them, or those outside of groups."""

    ruled: list[int]
    readable: list[int]


def namespaces_of(principal: Principal) -> Namespaces:
    """Sort the namespaces in which ``principal`` is somebody by what that lets them see."""
    roles = principal.roles.items()
    ruled = [pk for pk, role in roles if role == Role.ADMIN]
    return Namespaces(ruled, [pk for pk, role in roles if Role.READ <= role < Role.ADMIN])


def within_scope(principal: Principal) -> Q:
    """The condition on ``Repo`` rows under which the role of a token's owner counts for it."""
    scope, reading = principal.scope, Permission.CONTENT_READ
    taken = ~Q(namespace_id__in=principal.shut_out) if principal.shut_out else Q()
    if scope is None or scope.has_everywhere(reading):
        return taken
    named = Q(pk__in=scope.repos_with(reading))
    return taken & (named | Q(namespace_id__in=scope.namespaces_with(reading)))


def readable_namespaces(principal: Principal) -> list[int] | None:
    """The namespaces whose private repos ``principal`` may know of; None is all of them."""
    if principal.rules_all:
        return None
    return [pk for pk, role in principal.roles.items() if role >= Role.READ]


def may_hear(webhook: Webhook, event: Event, repo: Repo | None) -> bool:
    """Whether a webhook may be told of ``event``: whether its owner may know of the repo now.

    Of a repo that is gone the event itself says whose it was and who could see it. A webhook of an
    organisation sees what is public, and the organisation's own.
    """
    owner_id = repo.namespace_id if repo else event.owner_id
    is_public = not (repo.private if repo else event.is_private)
    owner = webhook.namespace
    if owner.kind == Namespace.Kind.ORGANISATION:
        role = Role.ADMIN if owner.pk == owner_id else Role.NO_ACCESS
        principal = Principal()
    else:
        principal = Principal(user=owner.user)
        place = place_of(repo) if repo else _place_then(event)
        role = principal.role_on(place) if owner.user.is_active else Role.NO_ACCESS
    facts = Facts(role=role, is_public=is_public)
    # Who asks for access is news for those alone who decide on it.
    action = Action.ACCESS_SEE if event.scope == "repo.access" else Action.REPO_SEE
    return decide(principal, action, facts).allowed


def _place_then(event: Event) -> Place:
    return Place(event.owner_id, event.kind, event.group_id, event.repo_id)


def check_can_own_webhooks(
    principal: Principal, namespace: Namespace, action: Action = Action.WEBHOOKS_CHANGE
) -> None:
    """Refuse unless ``principal`` may see, or change, the webhooks of ``namespace``.

    Raises:
        Forbidden: they are neither that user nor an admin of that organisation, or their token is
            not for it.
    """
    facts = Facts(
        role=principal.role_in(namespace.pk),
        granted=principal.granted_on(namespace.pk),
        is_shut=principal.is_shut_out_of(namespace.pk),
    )
    decision = decide(principal, action, facts)
    if not decision.allowed:
        why = "" if decision.hidden else f" {decision.reason}"
        raise Forbidden(f"You may not manage the webhooks of {namespace.name}.{why}")


def rules_namespace(principal: Principal, action: Action, namespace: Namespace) -> bool:
    """Whether ``principal`` is an admin of ``namespace`` with a credential for ``action`` there."""
    facts = Facts(
        role=principal.role_in(namespace.pk),
        granted=principal.granted_on(namespace.pk),
        is_shut=principal.is_shut_out_of(namespace.pk),
    )
    return facts.role == Role.ADMIN and decide(principal, action, facts).allowed


def can_see_webhooks(principal: Principal, namespace: Namespace) -> bool:
    try:
        check_can_own_webhooks(principal, namespace, Action.WEBHOOKS_SEE)
    except Refusal:
        return False
    return True


def can_change_webhooks(principal: Principal, namespace: Namespace) -> bool:
    try:
        check_can_own_webhooks(principal, namespace)
    except Refusal:
        return False
    return True


def check_can_of_collection(principal: Principal, action: Action, collection: Collection) -> None:
    """Refuse unless ``principal`` may do ``action`` to ``collection``.

    Raises:
        CollectionNotFound: they may not even know that it exists.
        Unauthenticated: signing in might help.
        Forbidden: they may see it, and no more.
    """
    user = principal.user
    facts = Facts(
        role=principal.role_in(collection.namespace_id),
        is_public=not collection.private,
        is_creator=user is not None and collection.created_by_id == user.pk,
        granted=principal.granted_on(collection.namespace_id),
        is_shut=principal.is_shut_out_of(collection.namespace_id),
    )
    decision = decide(principal, action, facts)
    if decision.allowed:
        return
    if decision.hidden:
        raise CollectionNotFound
    raise _no(principal, decision.reason)


def collection_is_for(principal: Principal, action: Action, collection: Collection) -> bool:
    """The same rule asked politely, for pages."""
    try:
        check_can_of_collection(principal, action, collection)
    except Refusal:
        return False
    return True


def collections_visible_to(principal: Principal) -> Q:
    """As :func:`visible_to`, on ``Collection`` rows."""
    public, private = Q(private=False), Q()
    scope, reading = principal.scope, Permission.COLLECTION_READ
    if scope is not None and not scope.has_everywhere(reading):
        private = Q(namespace_id__in=scope.namespaces_with(reading))
    if principal.shut_out:
        private &= ~Q(namespace_id__in=principal.shut_out)
    readable = readable_namespaces(principal)
    if readable is None:
        return public | private if private else Q()
    return public | (Q(namespace_id__in=readable) & private)


def check_can_see_job(principal: Principal, job: Job) -> None:
    """Refuse unless ``principal`` asked for ``job``, or may write to the repo that it works on.

    Whoever may not know of the repo, or shows a token that is not for it, knows of no such job.

    Raises:
        JobNotFound: it is not theirs to know of.
    """
    is_own = _is(principal, job.by_id) or principal.rules_all
    if job.repo is None:
        is_theirs = is_own and not principal.is_narrowed
    else:
        needed = Action.REPO_SEE if is_own else Action.REPO_WRITE
        is_theirs = can(principal, needed, job.repo)
    if not is_theirs:
        raise JobNotFound


def check_can_cancel(principal: Principal, job: Job) -> None:
    """Refuse unless ``principal`` may see ``job``, with a credential that may change things.

    Raises:
        JobNotFound: it is not theirs to know of.
        Forbidden: their token may only read.
    """
    check_signed_in(principal, Action.SIGN_IN_TO_WRITE)
    check_can_see_job(principal, job)
