"""Ask for access to a gated repo; accept, reject and grant. Each change holds the request's row."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from hub.errors import AccessRequestNotFound
from hub.events import AccessAsked, AccessDecided
from hub.models import AccessRequest, Repo
from hub.policies import check_can
from hub.queries.access import terms_of
from hub.services import outbox
from teams.errors import Conflict, Invalid, Unauthenticated
from teams.models import User
from teams.policies import Principal
from teams.roles import Action
from teams.services import audit
from teams.services.audit import Target

Status = AccessRequest.Status
LONGEST_REASON = 1000


def ask(*, repo: Repo, by: Principal, sent: Mapping[str, str]) -> AccessRequest:
    """Ask to be let in; an automatic gate does at once.

    Raises:
        Invalid: the repo has no gate.
        Unprocessable: a field is not filled in.
        Conflict: they asked before.
    """
    check_can(by, Action.REPO_ASK, repo)
    if by.user is None:
        raise Unauthenticated
    _check_gated(repo)
    is_open = repo.gate == Repo.Gate.AUTO
    wish = AccessRequest(
        repo=repo,
        user=by.user,
        status=Status.ACCEPTED if is_open else Status.PENDING,
        fields=terms_of(repo).read(sent),
        decided_at=timezone.now() if is_open else None,
    )
    with transaction.atomic():
        try:
            with transaction.atomic():
                wish.save(force_insert=True)
        except IntegrityError:
            there = AccessRequest.objects.filter(repo=repo, user=by.user).first()
            raise Conflict(_ASKED[there.status if there else Status.PENDING]) from None
        _tell(AccessAsked(wish.pk, by.user.name, wish.status), wish, by)
        if is_open:
            details = {"status": {"old": None, "new": wish.status}}
            _note("repo.access.grant", wish, by, details)
    return wish


_ASKED: dict[str, str] = {
    Status.PENDING: "You asked already; your request awaits a review.",
    Status.ACCEPTED: "You have access already.",
    Status.REJECTED: "The owners rejected your request.",
}


def withdraw(*, repo: Repo, by: Principal) -> None:
    """Take back a request that nobody decided on.

    Raises:
        AccessRequestNotFound: there is none.
    """
    if by.user is None:
        raise Unauthenticated
    waiting = AccessRequest.objects.filter(repo=repo, user=by.user, status=Status.PENDING)
    if not waiting.delete()[0]:
        raise AccessRequestNotFound


def decide(*, request: AccessRequest, status: str, by: Principal, reason: str = "") -> None:
    """Accept or reject a request, or put it back among those that wait: then access ends.

    Raises:
        Forbidden: ``by`` does not decide here.
        Invalid: that is no status, or the repo has no gate.
        AccessRequestNotFound: it is gone, or has that status already.
    """
    repo = request.repo
    check_can(by, Action.ACCESS_DECIDE, repo)
    _check_gated(repo)
    if status not in Status.values:
        raise Invalid(f"status must be one of {', '.join(Status.values)}.")
    if len(reason) > LONGEST_REASON:
        raise Invalid(f"The reason takes at most {LONGEST_REASON:,} characters.")
    with transaction.atomic():
        found = AccessRequest.objects.select_for_update(of=("self",)).filter(pk=request.pk).first()
        if found is None:
            raise AccessRequestNotFound
        if found.status == status:
            raise AccessRequestNotFound(f"This access request is already {status}.")
        old, request.status = found.status, status
        request.reason = reason if status == Status.REJECTED else ""
        request.decided_by = None if status == Status.PENDING else by.user
        request.decided_at = None if status == Status.PENDING else timezone.now()
        request.save(update_fields=["status", "reason", "decided_by", "decided_at"])
        _tell(AccessDecided(request.pk, request.user.name, status), request, by)
        _note(f"repo.access.{_VERBS[status]}", request, by, {"status": {"old": old, "new": status}})


_VERBS: dict[str, str] = {
    Status.PENDING: "cancel",
    Status.ACCEPTED: "grant",
    Status.REJECTED: "reject",
}


def grant(*, repo: Repo, user: User, by: Principal) -> AccessRequest:
    """Let somebody in who did not ask, or was not answered yet.

    Raises:
        Forbidden: ``by`` does not decide here.
        Invalid: the repo has no gate, or they are in already.
    """
    check_can(by, Action.ACCESS_DECIDE, repo)
    _check_gated(repo)
    with transaction.atomic():
        made, is_new = AccessRequest.objects.get_or_create(
            repo=repo,
            user=user,
            defaults={
                "status": Status.ACCEPTED,
                "was_asked": False,
                "decided_by": by.user,
                "decided_at": timezone.now(),
            },
        )
        if is_new:
            _tell(AccessDecided(made.pk, user.name, Status.ACCEPTED), made, by)
            _note("repo.access.grant", made, by, {"status": {"old": None, "new": made.status}})
        elif made.status == Status.ACCEPTED:
            raise Invalid(f"{user.name} has access to this repo already.")
        else:
            made.repo = repo
            decide(request=made, status=Status.ACCEPTED, by=by)
    return made


def _check_gated(repo: Repo) -> None:
    if not repo.gate:
        raise Invalid("This repo is not gated: everybody who sees it reads it.")


def _tell(news: AccessAsked | AccessDecided, request: AccessRequest, by: Principal) -> None:
    outbox.announce(request.repo_id, news, by=by.user)


def _note(
    action: str, request: AccessRequest, by: Principal, details: dict[str, dict[str, str | None]]
) -> None:
    repo = request.repo
    target = Target(kind=repo.kind, name=repo.full_name, id=repo.pk)
    more = {**details, "user": request.user.name}
    audit.record(action, by=by.user, namespace=repo.namespace_id, target=target, details=more)
