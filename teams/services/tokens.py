"""Issue, revoke and note the use of access tokens.

A token reads ``wh_`` + 41 base-62 digits of randomness + 6 digits of CRC-32, so that a scanner
finds leaked ones without a database and without false hits. Those that no person made say so:
``wh_job_…``, ``wh_oidc_…``, ``wh_oauth_…``.
"""

import hashlib
import secrets
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from teams.errors import Conflict, Invalid
from teams.models import AccessToken, Membership, Reach, TokenScope, User
from teams.models.token import MACHINE_MADE
from teams.roles import Permission
from teams.services.audit import Target, record

PREFIX = "wh_"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BYTES = 30
_RANDOM_DIGITS = 41
_CHECK_DIGITS = 6
_TOUCH_EVERY = timedelta(minutes=10)
MOST_TOKENS = 1000
"""Of one user, those that jobs and CI systems got not counted."""
MAX_SCOPES = 100
"""Things that one fine-grained token may name."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a fine-grained token is to be allowed: to a repo, in a namespace, or everywhere."""

    permissions: frozenset[Permission]
    namespace_id: int | None = None
    repo_id: int | None = None
    """With ``namespace_id`` its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a token is to be. With ``allowed`` it is fine-grained, whatever ``role`` says."""

    name: str
    role: str = AccessToken.TokenRole.READ
    allowed: tuple[Allowed, ...] | None = None
    lasts: timedelta | None = None
    """None: until it is revoked."""
    origin: str = AccessToken.Origin.PERSON
    made_for: str = ""
    """What it lives and dies with (:func:`revoke_all_for`)."""


def issue(*, user: User, name: str, role: str = "read") -> tuple[AccessToken, str]:
    """Make a token that may do what ``user`` may, or only read it; see :func:`issue_as`."""
    return issue_as(Wish(name=name, role=role), user=user)


@transaction.atomic
def issue_as(wish: Wish, *, user: User) -> tuple[AccessToken, str]:
    """Make a token and answer it with its secret, which is shown this once and never stored.

    Raises:
        Invalid: it names too much.
        Conflict: the user has too many.
    """
    _check_number(wish, user)
    secret = _secret(wish.origin)
    is_fine = wish.allowed is not None
    token = AccessToken.objects.create(
        user=user,
        name=wish.name,
        role=AccessToken.TokenRole.FINE_GRAINED if is_fine else AccessToken.TokenRole(wish.role),
        digest=hashlib.sha256(secret.encode()).digest(),
        last4=secret[-4:],
        expires_at=timezone.now() + wish.lasts if wish.lasts else None,
        origin=wish.origin,
        made_for=wish.made_for,
    )
    scopes = _save_scopes(token, wish.allowed or ())
    _note("token.create", token, scopes, by=user)
    return token, secret


def _check_number(wish: Wish, user: User) -> None:
    if wish.origin in MACHINE_MADE:
        return
    present = AccessToken.objects.filter(user=user, revoked_at=None)
    if present.exclude(origin__in=MACHINE_MADE).count() >= MOST_TOKENS:
        raise Conflict(f"You have {MOST_TOKENS:,} access tokens. Revoke some first.")


def issue_for_job(
    *, job: str, user: User, may: Iterable[Allowed], lasts: timedelta
) -> tuple[AccessToken, str]:
    """Make the token with which the worker of a job acts for ``user``: for these repos only.

    ``job`` is an id of the caller's; :func:`revoke_all_for` ends the token when the job ends. It
    can never do more than ``user`` can at that moment.
    """
    wish = Wish(
        name=f"job {job}",
        allowed=tuple(may),
        lasts=lasts,
        origin=AccessToken.Origin.JOB,
        made_for=f"job:{job}",
    )
    return issue_as(wish, user=user)


def _secret(origin: str) -> str:
    prefix = f"{PREFIX}{origin}_" if origin else PREFIX
    body = prefix + _base62(int.from_bytes(secrets.token_bytes(_RANDOM_BYTES)), _RANDOM_DIGITS)
    return body + checksum(body)


def _save_scopes(token: AccessToken, allowed: Iterable[Allowed]) -> list[TokenScope]:
    """Several wishes about one thing become one; what allows nothing is left out."""
    named: dict[tuple[int | None, int | None], frozenset[Permission]] = {}
    for one in allowed:
        thing = (one.namespace_id, one.repo_id)
        named[thing] = named.get(thing, frozenset()) | one.permissions
    if len(named) > MAX_SCOPES:
        raise Invalid(f"A token names at most {MAX_SCOPES} users, organisations and repos.")
    return TokenScope.objects.bulk_create(
        TokenScope(
            token=token, namespace_id=namespace, repo_id=repo, permissions=sorted(permissions)
        )
        for (namespace, repo), permissions in named.items()
        if permissions
    )


def checksum(body: str) -> str:
    """Answer the last six digits of a token that begins with ``body``."""
    return _base62(zlib.crc32(body.encode()), _CHECK_DIGITS)


def is_well_formed(secret: str) -> bool:
    """Say whether ``secret`` can be one of ours at all, without a look into the database."""
    body, check = secret[:-_CHECK_DIGITS], secret[-_CHECK_DIGITS:]
    return secret.startswith(PREFIX) and checksum(body) == check


def revoke(*, token: AccessToken, by: User) -> None:
    """End a token for good. Revoking twice keeps the first date."""
    with transaction.atomic():
        live = AccessToken.objects.filter(pk=token.pk, user=by, revoked_at=None)
        if live.update(revoked_at=timezone.now()):
            _note("token.revoke", token, list(token.scopes.all()), by=by)


def _note(action: str, token: AccessToken, scopes: Sequence[TokenScope], *, by: User) -> None:
    """Tell the audit log of its owner, and of each organisation of theirs that it names."""
    named = _of_theirs(token.user, {scope.namespace_id for scope in scopes if scope.namespace_id})
    target = Target(kind="token", name=token.name, id=token.pk)
    details = {"role": token.role, "origin": token.origin, "last4": token.last4}
    for namespace in {token.user.namespace_id, *named}:
        record(action, by=by, namespace=namespace, target=target, details=details)


def _of_theirs(user: User, namespaces: set[int]) -> set[int]:
    """Those in which ``user`` is somebody: any other may be named, for what is public there."""
    if user.is_staff or not namespaces:
        return namespaces
    members = Membership.objects.filter(user=user, organisation__namespace__in=namespaces)
    reached = Reach.objects.filter(user=user, namespace__in=namespaces)
    return {
        *members.values_list("organisation__namespace_id", flat=True),
        *reached.values_list("namespace_id", flat=True),
    }


def revoke_all_for(made_for: str) -> int:
    """End the tokens that lived for something that is over, such as ``job:12``; answer how many."""
    found = AccessToken.objects.filter(made_for=made_for, revoked_at=None).exclude(made_for="")
    return found.update(revoked_at=timezone.now())


def touch(token: AccessToken) -> None:
    """Note that ``token`` is in use; at most one write per ten minutes."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _TOUCH_EVERY:
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
