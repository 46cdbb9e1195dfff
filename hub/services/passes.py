"""Passes: signed leave to do one thing with one repo for a while, for callers without a token.

A pass says who asked for it, and with which token. Whether they still may is asked again whenever
it is shown: it never gives more than that token does, and ends with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core import signing

from hub.errors import RepoNotFound
from hub.models import Repo
from hub.policies import check_can
from teams.errors import Forbidden
from teams.models import User
from teams.policies import Principal
from teams.queries import token_by_key
from teams.roles import CHANGES, Action


class BadPass(Forbidden):
    """This link is not valid, or not any more. Ask for a new one."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a shown pass gives: the repo, for whom, and what else was written in it."""

    repo: Repo
    principal: Principal
    claims: Mapping[str, Any]


def issue(purpose: str, *, repo: Repo, by: Principal, action: Action, **claims: str | int) -> str:
    """Write a pass that lets its bearer do ``action`` as ``by`` could now."""
    head = {
        "repo": repo.pk,
        "user": by.user.pk if by.user else None,
        "token": by.token.pk if by.token else None,
        "action": action.value,
    }
    return signing.dumps(head | claims, salt=f"hub.{purpose}", compress=True)


def redeem(purpose: str, text: str, *, lasts: timedelta) -> Redeemed:
    """Answer what a pass gives, if its bearer still may.

    Raises:
        BadPass: it is forged, expired, or for something else.
        Refusal: the repo is gone, or no longer theirs to use.
    """
    repo, claims = _read(purpose, text, lasts)
    action = Action(claims["action"])
    principal = _bearer(claims, may_change=action in CHANGES)
    check_can(principal, action, repo)
    return Redeemed(repo, principal, claims)


def redeem_own(purpose: str, text: str, *, lasts: timedelta) -> Redeemed:
    """The same for a pass that this hub wrote for its own workers, who act for nobody.

    Raises:
        BadPass: it is forged, expired, or for something else.
        RepoNotFound: the repo is gone.
    """
    repo, claims = _read(purpose, text, lasts)
    return Redeemed(repo, Principal(), claims)


def _read(purpose: str, text: str, lasts: timedelta) -> tuple[Repo, dict[str, Any]]:
    try:
        claims: dict[str, Any] = signing.loads(text, salt=f"hub.{purpose}", max_age=lasts)
    except signing.BadSignature:
        raise BadPass from None
    repo = Repo.objects.select_related("namespace").filter(pk=claims["repo"]).first()
    if repo is None:
        raise RepoNotFound
    return repo, claims


def _bearer(claims: Mapping[str, Any], *, may_change: bool) -> Principal:
    if (key := claims.get("token")) is not None:
        token = token_by_key(key)
        if token is None or not token.is_live:
            raise BadPass
        bearer = Principal.by_token(token)
        # A pass to read does not write, whatever the token could.
        bearer.may_change = bearer.may_change and may_change
        return bearer
    if claims["user"] is None:
        return Principal()
    users = User.objects.select_related("namespace")
    user = users.filter(pk=claims["user"], is_active=True).first()
    if user is None:
        raise BadPass
    return Principal(user=user, may_change=may_change)
