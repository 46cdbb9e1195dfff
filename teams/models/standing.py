"""What a user is and may in organisations: the look-ups that the rule of access makes."""

from dataclasses import dataclass, field

from teams.models import sql
from teams.names import KINDS
from teams.roles import Role


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing is: in whose namespace, in which resource group, which repo of which kind.

    Without a repo it is all repos there, such as one that somebody wants to begin; without a kind,
    of all kinds.
    """

    namespace_id: int
    kind: str = ""
    group_id: int | None = None
    repo_id: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A member in their organisation."""

    role: Role
    is_owner: bool = False
    may_manage_teams: bool = False
    creators: Role = Role.CONTRIBUTOR
    """The least role that begins repos there."""


@dataclass(frozen=True, slots=True)
class Standings:
    """A user in all their organisations, by namespace; and whether there are grants to look at."""

    members: dict[int, Standing] = field(default_factory=dict)
    lapsed: frozenset[int] = frozenset()
    """Organisations that want a member to come by their identity provider, who did not lately."""
    has_grants: bool = False


# The last row stands for all grants: most users have none, and no look-up for any.
_STANDINGS = """
SELECT o.namespace_id, m.role, m.is_owner, m.may_manage_teams, o.creators,
    p.id IS NOT NULL AND NOT m.is_owner AND NOT EXISTS (SELECT FROM teams_ssoidentity i
        WHERE i.organisation_id = o.id AND i.user_id = m.user_id
            AND i.fresh_until > statement_timestamp())
FROM teams_membership m JOIN teams_organisation o ON o.id = m.organisation_id
LEFT JOIN teams_identityprovider p ON p.organisation_id = o.id AND p.is_enforced
WHERE m.user_id = %(user)s
UNION ALL
SELECT 0, 0, false, false, 0, false WHERE EXISTS (SELECT FROM teams_reach WHERE user_id = %(user)s)
"""

_GRANTED = """
SELECT max(role) FROM teams_reach WHERE user_id = %(user)s AND namespace_id = %(namespace)s
AND (repo_id = %(repo)s OR repo_id IS NULL AND group_id IS NOT DISTINCT FROM %(group)s
    AND (%(kind)s = ANY(kinds) OR %(kind)s = '' AND cardinality(kinds) = %(all)s))
"""


def standings_of(user_id: int) -> Standings:
    """Read all memberships of a user, in one query."""
    rows = sql.rows(_STANDINGS, {"user": user_id})
    members = {
        namespace_id: Standing(Role(role), is_owner, may_manage_teams, Role(creators))
        for namespace_id, role, is_owner, may_manage_teams, creators, _lapsed in rows
        if namespace_id
    }
    lapsed = frozenset(row[0] for row in rows if row[-1])
    return Standings(members, lapsed, has_grants=len(members) < len(rows))


def creators_of(namespace_id: int) -> Role:
    """The least role that begins repos in a namespace."""
    row = sql.row("SELECT creators FROM teams_organisation WHERE namespace_id = %s", [namespace_id])
    return Role(row[0]) if row else Role.CONTRIBUTOR


def granted_role(user_id: int, place: Place) -> Role:
    """The strongest role that a user was granted at a place, themselves or by a team."""
    values = {
        "user": user_id,
        "namespace": place.namespace_id,
        "repo": place.repo_id,
        "kind": place.kind,
        "group": place.group_id,
        "all": len(KINDS),
    }
    row = sql.row(_GRANTED, values)
    return Role(row[0] or 0) if row else Role.NO_ACCESS
