"""Say which CI jobs a repo trusts, and give them a token of ours for their identity token.

The exchange is RFC 8693's; what is given is short-lived, writes to that repo alone, and acts for
the user who trusted the publisher.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from hub.models import Repo, TrustedPublisher, sql
from hub.models.publisher import MAX_ISSUER
from hub.outgoing.addresses import Blocked, Target
from hub.policies import check_can
from hub.services import id_tokens
from hub.services.auditing import record_of
from hub.services.id_tokens import IdTokenRefused, claimed_by, verified
from teams.errors import Conflict, Invalid, NotFound, Unauthenticated
from teams.models import AccessToken
from teams.policies import Principal
from teams.roles import Action, Permission
from teams.services import tokens
from teams.services.tokens import Allowed, Wish

LASTS = timedelta(hours=1)
MAX_PUBLISHERS = 20
MAX_CLAIMS = 10
_MAX_TEXT = 500
IDENTIFYING = ("sub", "repository", "repository_id", "project_path", "project_id")
"""Many share an issuer: a publisher has to name one of these."""
_OURS = frozenset({"iss", "aud", "exp", "iat", "nbf", "jti"})
_NOBODY = "No publisher that this repo trusts fits the identity token."


@transaction.atomic
def trust(*, repo: Repo, issuer: str, claims: Mapping[str, str], by: Principal) -> TrustedPublisher:
    """Let jobs publish to ``repo`` whose identity token is of ``issuer`` and claims all that.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        Invalid: issuer or claims cannot be.
        Conflict: it is trusted already, or too many are.
    """
    check_can(by, Action.REPO_MANAGE, repo)
    if by.user is None:
        raise Unauthenticated
    issuer, wanted = _issuer(issuer), _claims(claims)
    sql.run("SELECT 1 FROM hub_repo WHERE id = %s FOR NO KEY UPDATE", [repo.pk])
    if repo.publishers.count() >= MAX_PUBLISHERS:
        raise Conflict(f"A repo trusts {MAX_PUBLISHERS} publishers at most.")
    made, is_new = TrustedPublisher.objects.get_or_create(
        repo=repo, issuer=issuer, claims=wanted, defaults={"created_by": by.user}
    )
    if not is_new:
        raise Conflict("This publisher is trusted already.")
    record_of(repo, "repo.trust_publisher", by=by.user, issuer=issuer, claims=wanted)
    return made


@transaction.atomic
def distrust(*, repo: Repo, publisher_id: int, by: Principal) -> None:
    """Trust a publisher no more; tokens that its jobs hold end at once.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        NotFound: the repo trusts no such publisher.
    """
    check_can(by, Action.REPO_MANAGE, repo)
    found = repo.publishers.filter(pk=publisher_id).first()
    if found is None:
        raise NotFound("There is no such publisher.")
    tokens.revoke_all_for(_purpose(found))
    told: dict[str, Any] = {"issuer": found.issuer, "claims": found.claims}
    found.delete()
    record_of(repo, "repo.distrust_publisher", by=by.user, **told)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What a job gets."""

    secret: str
    token: AccessToken
    lasts: timedelta = LASTS


def exchange(*, repo: Repo | None, id_token: str, audience: str) -> Exchanged:
    """Give a token for ``repo`` to a job that one of its publishers vouches for.

    A repo that is not there answers like one that trusts nobody.

    Raises:
        IdTokenRefused: the identity token is not good for this.
        IssuerIsSilent: its issuer does not tell its keys.
    """
    claimed = claimed_by(id_token)
    # Only an issuer that somebody named is asked for its keys; and who trusts it is told to
    # nobody whose token is forged.
    if not _trusting(claimed.issuer).exists():
        raise IdTokenRefused(_NOBODY)
    claims = verified(id_token, claimed, audience=audience)
    trusted = _trusting(claimed.issuer).filter(repo=repo).select_related("repo", "created_by")
    fitting = next((one for one in trusted.order_by("pk") if _fits(one, claims)), None)
    if fitting is None:
        raise IdTokenRefused(_NOBODY)
    return _issue(fitting, claims, id_token)


def _trusting(issuer: str) -> QuerySet[TrustedPublisher]:
    return TrustedPublisher.objects.filter(issuer=issuer, created_by__is_active=True)


def _fits(publisher: TrustedPublisher, claims: Mapping[str, Any]) -> bool:
    return all(_text(claims.get(name)) == value for name, value in publisher.claims.items())


def _text(value: object) -> str | None:
    """A claim as text; lists and objects fit nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


@transaction.atomic
def _issue(publisher: TrustedPublisher, claims: dict[str, Any], id_token: str) -> Exchanged:
    id_tokens.spend(claims, id_token)
    repo, user = publisher.repo, publisher.created_by
    may = Allowed(
        frozenset({Permission.CONTENT_WRITE, Permission.DISCUSS}),
        namespace_id=repo.namespace_id,
        repo_id=repo.pk,
    )
    wish = Wish(
        name=_name(publisher, claims),
        allowed=(may,),
        lasts=LASTS,
        origin=AccessToken.Origin.OIDC,
        made_for=_purpose(publisher),
    )
    token, secret = tokens.issue_as(wish, user=user)
    TrustedPublisher.objects.filter(pk=publisher.pk).update(last_used_at=timezone.now())
    record_of(repo, "repo.publish_token", by=user, issuer=publisher.issuer, token=token.name)
    return Exchanged(secret, token)


def _name(publisher: TrustedPublisher, claims: Mapping[str, Any]) -> str:
    named = (_text(claims.get(name)) for name in ("repository", "project_path", "sub"))
    who = next((one for one in named if one and one.isprintable()), "a job")
    return f"[OIDC] {who} at {urlsplit(publisher.issuer).netloc}"[:100]


def _purpose(publisher: TrustedPublisher) -> str:
    return f"publisher:{publisher.pk}"


def _issuer(text: str) -> str:
    try:
        Target.parse(text)
    except Blocked as reason:
        raise Invalid(f"The issuer cannot be used: {reason}") from None
    if len(text) > MAX_ISSUER or "?" in text or "#" in text:
        raise Invalid(f"An issuer is a URL of at most {MAX_ISSUER} characters, without a query.")
    return text


def _claims(given: Mapping[str, str]) -> dict[str, str]:
    if not 0 < len(given) <= MAX_CLAIMS or not set(given) & set(IDENTIFYING):
        raise Invalid(
            f"A publisher has at most {MAX_CLAIMS} claims, one of them {', '.join(IDENTIFYING)}."
        )
    for name, value in given.items():
        if name in _OURS:
            raise Invalid(f"The claim {name!r} is checked in any case.")
        if not (0 < len(name) <= _MAX_TEXT and 0 < len(value) <= _MAX_TEXT):
            raise Invalid(f"Names and values of claims have 1 to {_MAX_TEXT} characters.")
        if not f"{name}{value}".isprintable():
            raise Invalid("Names and values of claims hold no control characters.")
    return dict(sorted(given.items()))
