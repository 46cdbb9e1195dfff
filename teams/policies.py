"""The rule itself: Facts in, Decision out. Knows roles, never repos.

Every door asks it: wire, REST, portal, tokens for uploads and downloads. What is not allowed here
is refused; an unknown action is a bug and raises.
"""

from dataclasses import dataclass, field
from functools import cached_property

from teams.errors import Forbidden, Unauthenticated
from teams.models import AccessToken, Membership, User
from teams.roles import BEGINS, CHANGES, NARROWED_BY_GATE, NEEDS, OPEN_TO_ALL, Action, Role


@dataclass
class Principal:
    """Who is asking, and with what kind of credential."""

    user: User | None = None
    may_change: bool = False
    """False for a read token: it can do nothing that changes anything."""
    token: AccessToken | None = None

    @property
    def is_anonymous(self) -> bool:
        return self.user is None

    @property
    def rules_all(self) -> bool:
        """Administrators of the instance stand in as admin of every namespace."""
        return self.user is not None and self.user.is_staff

    @cached_property
    def roles(self) -> dict[int, Role]:
        """Namespace id to role, the caller's own namespace included; one query, asked once."""
        if self.user is None:
            return {}
        rows = Membership.objects.filter(user=self.user).values_list(
            "organisation__namespace_id", "role"
        )
        return {namespace_id: Role(role) for namespace_id, role in rows} | {
            self.user.namespace_id: Role.ADMIN
        }

    def role_in(self, namespace_id: int) -> Role:
        if self.rules_all:
            return Role.ADMIN
        if self.user is not None and namespace_id == self.user.namespace_id:
            return Role.ADMIN
        return self.roles.get(namespace_id, Role.NO_ACCESS)


ANONYMOUS = Principal()
"""The caller who showed no credential."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rule needs to know of a thing; collected by whoever owns the thing."""

    role: Role
    """The caller's role in the namespace that owns it."""
    is_public: bool = False
    is_gated: bool = False
    is_creator: bool = False
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of the rule; ``hidden`` says that not even existence may be told."""

    allowed: bool
    hidden: bool = False
    gated: bool = False
    reason: str = field(default="")


ALLOWED = Decision(allowed=True)


def effective_role(facts: Facts) -> Role:
    """A contributor writes what they created and reads the rest."""
    if facts.role == Role.CONTRIBUTOR:
        return Role.WRITE if facts.is_creator else Role.READ
    return facts.role


def decide(principal: Principal, action: Action, facts: Facts) -> Decision:
    """Say whether ``principal`` may do ``action`` to the thing that ``facts`` describe."""
    role = facts.role if action in BEGINS else effective_role(facts)
    visible = facts.is_public or role >= Role.READ
    if not visible and action not in BEGINS:
        return Decision(allowed=False, hidden=True, reason="hidden")
    if action in CHANGES and not principal.may_change:
        return _weak_credential(principal)
    return _by_role(action, facts, role)


def _weak_credential(principal: Principal) -> Decision:
    if principal.is_anonymous:
        return Decision(allowed=False, reason="You must sign in first.")
    return Decision(allowed=False, reason="This token may only read. Use a token with write role.")


def _by_role(action: Action, facts: Facts, role: Role) -> Decision:
    if facts.is_disabled and action not in {Action.REPO_SEE, Action.REPO_MANAGE}:
        return Decision(allowed=False, reason="Access to this resource is disabled.")
    if role >= NEEDS[action]:
        return ALLOWED
    if facts.is_public and action in OPEN_TO_ALL:
        if facts.is_gated and action in NARROWED_BY_GATE:
            return Decision(allowed=False, gated=True, reason="gated")
        return ALLOWED
    return Decision(allowed=False, reason="You do not have the rights for this.")


def check_signed_in(principal: Principal, action: Action) -> None:
    """Refuse callers who are nobody, or whose credential is too weak for ``action``."""
    if principal.is_anonymous:
        raise Unauthenticated("You must sign in or send an access token.")
    if action in CHANGES and not principal.may_change:
        raise Forbidden(_weak_credential(principal).reason)
