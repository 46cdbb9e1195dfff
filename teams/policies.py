"""The rule itself: Facts in, Decision out. Knows roles, never repos.

Every door asks it: wire, REST, portal, tokens for uploads and downloads. What is not allowed here
is refused; an unknown action is a bug and raises.
"""

from dataclasses import dataclass, field
from functools import cached_property

from teams.errors import Forbidden, Refusal, Unauthenticated
from teams.models import AccessToken, Namespace, Organisation, User
from teams.models.standing import (
    Place,
    Standing,
    Standings,
    creators_of,
    granted_role,
    standings_of,
)
from teams.roles import (
    BEGINS,
    CHANGES,
    NARROWED_BY_GATE,
    NEEDS,
    OPEN_TO_ALL,
    PERMITTED_BY,
    SEEN_BY,
    Action,
    Permission,
    Role,
    Scope,
)


@dataclass
class Principal:
    """Who is asking, and with what kind of credential."""

    user: User | None = None
    may_change: bool = False
    """False for a read token: it can do nothing that changes anything."""
    token: AccessToken | None = None
    scope: Scope | None = None
    """What the token is narrowed to; None lets it do whatever its user may."""

    @classmethod
    def by_token(cls, token: AccessToken) -> "Principal":
        """Who shows ``token``, narrowed to what it is for."""
        scope = scope_of(token)
        may_change = scope.writes if scope else token.role == AccessToken.TokenRole.WRITE
        return cls(user=token.user, may_change=may_change, token=token, scope=scope)

    def granted_on(self, namespace_id: int, repo_id: int | None = None) -> frozenset[Permission]:
        """What a fine-grained token is allowed to a thing; of others nobody asks."""
        return self.scope.on(namespace_id, repo_id) if self.scope else frozenset()

    @property
    def shut_out(self) -> frozenset[int]:
        """The namespaces of organisations that want another token, or a fresh single sign-on."""
        lapsed = frozenset[int]() if self.rules_all else self.standings.lapsed
        return (self.token.shut_out if self.token else frozenset()) | lapsed

    def is_shut_out_of(self, namespace_id: int) -> bool:
        """The same of one namespace; of the caller's own it needs no look-up."""
        if self.token is not None and namespace_id in self.token.shut_out:
            return True
        is_own = self.user is None or namespace_id == self.user.namespace_id
        return not (is_own or self.rules_all) and namespace_id in self.standings.lapsed

    @property
    def is_narrowed(self) -> bool:
        """Whether there may be more for the caller than for the token that they show."""
        return self.scope is not None or bool(self.token and self.token.shut_out)

    @property
    def is_anonymous(self) -> bool:
        return self.user is None

    @property
    def rules_all(self) -> bool:
        """Administrators of the instance stand in as admin of every namespace."""
        return self.user is not None and self.user.is_staff

    @cached_property
    def let_in(self) -> dict[int, str]:
        """What became of access requests, by repo, so far as it was asked in this request."""
        return {}

    @cached_property
    def standings(self) -> Standings:
        """What the caller is in each organisation; one query, asked once."""
        return standings_of(self.user.pk) if self.user else Standings()

    @cached_property
    def roles(self) -> dict[int, Role]:
        """Namespace id to role by membership, the caller's own namespace included."""
        if self.user is None:
            return {}
        members = self.standings.members.items()
        roles = {namespace_id: standing.role for namespace_id, standing in members}
        return roles | {self.user.namespace_id: Role.ADMIN}

    def role_in(self, namespace_id: int) -> Role:
        """The role by membership; on a repo :meth:`role_on` also counts what was granted."""
        if self.rules_all:
            return Role.ADMIN
        if self.user is not None and namespace_id == self.user.namespace_id:
            return Role.ADMIN
        return self.roles.get(namespace_id, Role.NO_ACCESS)

    def role_on(self, place: Place) -> Role:
        """The role on one thing: by membership, unless it is in a resource group, and by grants.

        ``visible_to`` of whoever owns the thing is the same as a condition on rows.
        """
        member = self.role_in(place.namespace_id)
        if self.user is None or member == Role.ADMIN:
            return member
        base = member if place.group_id is None else Role.NO_ACCESS
        if not self.standings.has_grants:
            return base
        if place not in self._granted:
            self._granted[place] = granted_role(self.user.pk, place)
        return max(base, self._granted[place])

    @cached_property
    def _granted(self) -> dict[Place, Role]:
        """What was found out so far; a principal lives as long as a request."""
        return {}

    def role_to_begin(self, place: Place) -> Role:
        """The role by which somebody begins a thing: an organisation says how strong it must be."""
        role = self.role_on(place)
        if role in {Role.NO_ACCESS, Role.ADMIN}:
            return role
        member = self.standings.members.get(place.namespace_id)
        # Whoever has a role by a grant alone keeps to the same rule as members do.
        least = member.creators if member else creators_of(place.namespace_id)
        return role if role >= least else min(role, Role.READ)

    def standing_in(self, namespace_id: int) -> Standing:
        """The caller as a member; administrators of the instance own all."""
        if self.rules_all:
            return Standing(Role.ADMIN, is_owner=True)
        none = Standing(Role.NO_ACCESS)
        return self.standings.members.get(namespace_id, none) if self.user else none


ANONYMOUS = Principal()
"""The caller who showed no credential."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rule needs to know of a thing; collected by whoever owns the thing."""

    role: Role
    """The caller's role in the namespace that owns it."""
    is_public: bool = False
    is_gated: bool = False
    is_let_in: bool = False
    """The gate is open to the caller: their access request was accepted."""
    is_creator: bool = False
    is_disabled: bool = False
    granted: frozenset[Permission] = frozenset()
    """What the caller's token is allowed to it (``Principal.granted_on``), if it is narrowed."""
    is_shut: bool = False
    """The organisation that owns it does not take the caller's token."""


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
    role = _role_that_counts(principal, action, facts)
    visible = facts.is_public or role >= Role.READ
    if not visible and action not in BEGINS:
        return Decision(allowed=False, hidden=True, reason="hidden")
    if principal.scope is not None and not _is_permitted(action, facts):
        return Decision(allowed=False, reason=_lacks(action))
    if action in CHANGES and not principal.may_change:
        return _weak_credential(principal)
    return _by_role(principal, action, facts, role)


def _role_that_counts(principal: Principal, action: Action, facts: Facts) -> Role:
    """To what its token is not for, a caller comes as a stranger."""
    if facts.is_shut:
        return Role.NO_ACCESS
    if principal.scope is not None and action not in BEGINS:
        if action is Action.REPO_READ and facts.is_public and _GATED & facts.granted:
            return effective_role(facts)
        needed = SEEN_BY.get(action.partition(".")[0])
        if needed is None or needed not in facts.granted:
            return Role.NO_ACCESS
    return facts.role if action in BEGINS else effective_role(facts)


_GATED = frozenset({Permission.GATED_READ})
_READS_GATED = _GATED | {Permission.CONTENT_READ}


def _is_permitted(action: Action, facts: Facts) -> bool:
    """Whether a fine-grained token may do what its owner may; what all may read is no question."""
    if action in OPEN_TO_ALL and action not in CHANGES:
        return True
    return bool(PERMITTED_BY.get(action, frozenset()) & facts.granted)


def _lacks(action: Action) -> str:
    needed = " or ".join(sorted(PERMITTED_BY.get(action, ())))
    if not needed:
        return "No fine-grained token may do this."
    return f"This token may not do this here: it lacks the permission {needed}."


def scope_of(token: AccessToken) -> Scope | None:
    """What a fine-grained token is narrowed to; None for one that is as its owner."""
    if token.role != AccessToken.TokenRole.FINE_GRAINED:
        return None
    everywhere: frozenset[Permission] = frozenset()
    in_namespaces: dict[int, frozenset[Permission]] = {}
    on_repos: dict[int, frozenset[Permission]] = {}
    for row in token.scopes.all():
        named = frozenset(Permission(text) for text in row.permissions)
        if row.repo_id is not None:
            on_repos[row.repo_id] = named
        elif row.namespace_id is not None:
            in_namespaces[row.namespace_id] = named
        else:
            everywhere = named
    return Scope(everywhere, in_namespaces, on_repos)


def _weak_credential(principal: Principal) -> Decision:
    if principal.is_anonymous:
        return Decision(allowed=False, reason="You must sign in first.")
    return Decision(allowed=False, reason="This token may only read. Use a token with write role.")


def _by_role(principal: Principal, action: Action, facts: Facts, role: Role) -> Decision:
    if facts.is_disabled and action not in {Action.REPO_SEE, Action.REPO_MANAGE}:
        return Decision(allowed=False, reason="Access to this resource is disabled.")
    if role >= NEEDS[action]:
        return ALLOWED
    if facts.is_public and action in OPEN_TO_ALL:
        if _stands_before_gate(principal, action, facts):
            return Decision(allowed=False, gated=True, reason="gated")
        return ALLOWED
    return Decision(allowed=False, reason=_SHUT if facts.is_shut else _TOO_WEAK)


def _stands_before_gate(principal: Principal, action: Action, facts: Facts) -> bool:
    """Whether a gate keeps somebody out who has no role; a token must be for gated repos, too."""
    if not facts.is_gated or action not in NARROWED_BY_GATE:
        return False
    is_for_it = principal.scope is None or bool(facts.granted & _READS_GATED)
    return not (facts.is_let_in and is_for_it)


_SHUT = "The organisation does not take this access token, or wants you to sign in by its own page."
_TOO_WEAK = "You do not have the rights for this."


def check_signed_in(principal: Principal, action: Action) -> None:
    """Refuse callers who are nobody, or whose credential is too weak for ``action``."""
    if principal.is_anonymous:
        raise Unauthenticated("You must sign in or send an access token.")
    if action in CHANGES and not principal.may_change:
        raise Forbidden(_weak_credential(principal).reason)
    if action is Action.ACCOUNT_MANAGE and principal.token is not None:
        raise Forbidden("No token may do this. Sign in with a browser.")


def check_in(principal: Principal, action: Action, organisation: Organisation) -> None:
    """Refuse unless ``principal`` may do ``action`` to an organisation, whose name all may know.

    Raises:
        Unauthenticated: signing in might help.
        Forbidden: their role is too weak, or their token.
    """
    namespace_id = organisation.namespace_id
    facts = Facts(
        role=_role_for(action, principal.standing_in(namespace_id)),
        is_public=True,
        granted=principal.granted_on(namespace_id),
        is_shut=principal.is_shut_out_of(namespace_id),
    )
    decision = decide(principal, action, facts)
    if decision.allowed:
        return
    if principal.is_anonymous:
        raise Unauthenticated("You must sign in or send an access token.")
    who = _WHO_MAY[action]
    is_role = principal.may_change and principal.scope is None
    raise Forbidden(f"Only {who} of {organisation} may do this." if is_role else decision.reason)


def may_in(principal: Principal, action: Action, organisation: Organisation) -> bool:
    """The same rule asked politely, for pages."""
    try:
        check_in(principal, action, organisation)
    except Refusal:
        return False
    return True


_WHO_MAY = {
    Action.ORG_SEE: "members",
    Action.ORG_MANAGE: "admins",
    Action.ORG_TEAMS: "admins and maintainers",
    Action.ORG_OWN: "owners",
}


def _role_for(action: Action, standing: Standing) -> Role:
    """Owner and maintainer are marks of a member beside their role; here they count."""
    if action is Action.ORG_TEAMS and standing.may_manage_teams:
        return Role.ADMIN
    if action is Action.ORG_OWN and not standing.is_owner:
        return Role.READ
    return standing.role


def check_can_audit(principal: Principal, namespace: Namespace | None) -> None:
    """Refuse unless ``principal`` may read the audit log of a namespace; None is the instance's.

    Raises:
        Unauthenticated: signing in might help.
        Forbidden: they are no admin of it, or their token is not for this.
    """
    check_signed_in(principal, Action.AUDIT_READ)
    if namespace is None:
        allowed = principal.rules_all and not principal.is_narrowed
    else:
        facts = Facts(
            role=principal.role_in(namespace.pk), is_shut=principal.is_shut_out_of(namespace.pk)
        )
        allowed = decide(principal, Action.AUDIT_READ, facts).allowed
    if not allowed:
        raise Forbidden("Only admins read this audit log, and no token of narrower rights.")
