"""Passes for Xet: tokens that open the CAS, and links that give single pieces of a xorb."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hub.models import Repo, XetDomain
from hub.policies import can
from hub.queries.xet import check_sound
from hub.services import passes, quotas
from hub.services.passes import BadPass
from hub.storage.digests import xorb_key
from hub.xet.hashing import from_text, to_text
from hub.xet.reconstruction import Fetch
from teams.errors import Unauthenticated
from teams.models import User
from teams.policies import Principal
from teams.roles import Action

TOKEN_LIFE = timedelta(minutes=30)
OWN_LIFE = timedelta(hours=24)
DATA_LIFE = timedelta(hours=1)

_TOKEN = "xet.token"  # noqa: S105 - the purpose of a pass, not a secret
_OWN = "xet.own"
_OWN_PREFIX = "own."
_DATA = "xet.data"


@dataclass(frozen=True, slots=True)
class XetToken:
    """What a client needs to speak to the CAS: a token, when it ends, and the path of the CAS."""

    text: str
    expires: int
    cas: str


@dataclass(frozen=True, slots=True)
class XetSession:
    """Who speaks to the CAS, for which repo, in which domain."""

    repo: Repo
    principal: Principal
    domain_id: int
    proposes: bool = False
    """They may upload for pull requests, and no more."""
    is_ours: bool = False
    """It is a worker of this hub, which may write what the repo holds in another form."""

    @property
    def user(self) -> User | None:
        return self.principal.user


def issue_token(*, repo: Repo, by: Principal, action: Action) -> XetToken:
    """Let the bearer do ``action`` with ``repo`` by Xet, in the domain of its namespace.

    Who only proposes works in a domain of their own: what the namespace holds in other repos,
    maybe hidden ones, is nothing for them to learn of or to build on.
    """
    own = by.user is not None and action is Action.REPO_PROPOSE
    namespace_id = by.user.namespace_id if own and by.user else repo.namespace_id
    domain, _made = XetDomain.objects.get_or_create(namespace_id=namespace_id)
    cas = str(domain)
    text = passes.issue(_TOKEN, repo=repo, by=by, action=action, cas=cas)
    return XetToken(text, int(time.time() + TOKEN_LIFE.total_seconds()), cas)


def issue_for_upload(*, repo: Repo, by: Principal) -> XetToken:
    """Let the bearer upload to ``repo``, as a writer or for pull requests."""
    quotas.check_room(repo.namespace)
    action = Action.REPO_WRITE if can(by, Action.REPO_WRITE, repo) else Action.REPO_PROPOSE
    return issue_token(repo=repo, by=by, action=action)


def issue_own(repo: Repo) -> XetToken:
    """Let a worker of this hub write to the repo by Xet, on nobody's behalf."""
    domain, _made = XetDomain.objects.get_or_create(namespace_id=repo.namespace_id)
    cas = str(domain)
    text = passes.issue(_OWN, repo=repo, by=Principal(), action=Action.REPO_WRITE, cas=cas)
    return XetToken(_OWN_PREFIX + text, int(time.time() + OWN_LIFE.total_seconds()), cas)


def session(token: str, *, cas: str) -> XetSession:
    """Answer for whom and what a token was issued, if its bearer still may.

    Raises:
        Unauthenticated: it is forged, expired, or of another CAS.
        Refusal: the repo is gone, or no longer theirs to use.
    """
    is_ours = token.startswith(_OWN_PREFIX)
    try:
        if is_ours:
            own = token.removeprefix(_OWN_PREFIX)
            shown = passes.redeem_own(_OWN, own, lasts=OWN_LIFE)
        else:
            shown = passes.redeem(_TOKEN, token, lasts=TOKEN_LIFE)
    except BadPass:
        raise Unauthenticated("This Xet token is not valid, or not any more.") from None
    if shown.claims["cas"] != cas:
        raise Unauthenticated("This Xet token is for another CAS.")
    proposes = shown.claims["action"] == Action.REPO_PROPOSE
    return XetSession(shown.repo, shown.principal, int(cas.partition(".")[0]), proposes, is_ours)


def sign_fetches(given: XetSession, xorb: bytes, fetches: Sequence[Fetch]) -> str:
    """Write a pass for exactly these bytes of a xorb: it may hold chunks of other repos too."""
    spans = ",".join(f"{fetch.first_byte}-{fetch.last_byte}" for fetch in fetches)
    return passes.issue(
        _DATA,
        repo=given.repo,
        by=given.principal,
        action=Action.REPO_READ,
        xorb=to_text(xorb),
        spans=spans,
    )


def fetches_of(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Answer the key of a xorb, and the spans of it that a pass gives.

    Raises:
        Refusal: the pass is not valid, or its bearer may no longer read the repo.
        Damaged: the xorb is.
    """
    claims = passes.redeem(_DATA, text, lasts=DATA_LIFE).claims
    check_sound([from_text(claims["xorb"])])
    bounds = [span.split("-") for span in claims["spans"].split(",")]
    return xorb_key(claims["xorb"]), [(int(first), int(last) + 1) for first, last in bounds]
