"""The roles and the actions that each may take; and which action takes which permission of a token.

Tables, no code paths.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Role(IntEnum):
    """What a member may do in a namespace; each role includes the ones before it."""

    NO_ACCESS = 0
    """Is in the organisation, sees only what is public."""
    READ = 1
    """Reads every repo."""
    CONTRIBUTOR = 2
    """Creates repos, and writes only those that they created."""
    WRITE = 3
    """Writes, renames and deletes every repo."""
    ADMIN = 4
    """Also manages members and settings of the organisation."""

    @property
    def label(self) -> str:
        """The role's name on the wire (``roleInOrg``)."""
        return self.name.lower()


class Action(StrEnum):
    """Everything that somebody may ask to do; a route names one, or why it is public."""

    SIGN_IN = "account.sign_in"
    """Be somebody: any authenticated caller."""
    SIGN_IN_TO_WRITE = "account.write"
    """Be somebody whose credential may change things."""
    ACCOUNT_MANAGE = "account.manage"
    """Change what lets one in: tokens, password. In the browser only, with no token."""
    REPO_SEE = "repo.see"
    """Know that the repo exists; read its card and metadata."""
    REPO_READ = "repo.read"
    """Read the content of files."""
    REPO_LIKE = "repo.like"
    """Like and unlike."""
    REPO_DISCUSS = "repo.discuss"
    """Open discussions, and comment on them."""
    REPO_PROPOSE = "repo.propose"
    """Open pull requests, and upload files for them."""
    REPO_WRITE = "repo.write"
    """Commit, upload, move refs."""
    REPO_MANAGE = "repo.manage"
    """Change visibility, gating and other settings; rename; delete."""
    REPO_PROTECT = "repo.protect"
    """Say what has to be so before its branches and tags move."""
    REPO_ASK = "repo.ask"
    """Ask for access to the files of a gated repo."""
    REPO_CREATE = "repo.create"
    """Create a repo in a namespace, or move one into it."""

    AUDIT_READ = "audit.read"
    """Read the audit log of a namespace."""

    COLLECTION_SEE = "collection.see"
    """Read a collection; its items show as far as their repos do."""
    COLLECTION_VOTE = "collection.vote"
    """Vote for it, and take the vote back."""
    COLLECTION_CHANGE = "collection.change"
    """Change its title and items; delete it."""
    COLLECTION_CREATE = "collection.create"
    """Begin a collection in a namespace."""

    ORG_SEE = "org.see"
    """See what an organisation shows its members: teams, resource groups, grants."""
    ORG_MANAGE = "org.manage"
    """Change its profile, members, invitations, resource groups and grants."""
    ORG_TEAMS = "org.teams"
    """Make teams, and say who is in them: admins and maintainers."""
    ORG_OWN = "org.own"
    """Say who owns it; delete it."""

    ACCESS_SEE = "access.see"
    """See who asked for access to a gated repo."""
    ACCESS_DECIDE = "access.decide"
    """Accept, reject and grant."""

    WEBHOOKS_SEE = "webhooks.see"
    """See the webhooks of a namespace, and what they were sent."""
    WEBHOOKS_CHANGE = "webhooks.change"
    """Make, change and delete them."""


NEEDS: dict[Action, Role] = {
    Action.REPO_SEE: Role.READ,
    Action.REPO_READ: Role.READ,
    Action.REPO_LIKE: Role.READ,
    Action.REPO_DISCUSS: Role.READ,
    Action.REPO_PROPOSE: Role.READ,
    Action.REPO_WRITE: Role.WRITE,
    Action.REPO_MANAGE: Role.WRITE,
    Action.REPO_PROTECT: Role.ADMIN,
    Action.REPO_ASK: Role.READ,
    Action.REPO_CREATE: Role.CONTRIBUTOR,
    Action.ACCESS_SEE: Role.WRITE,
    Action.ACCESS_DECIDE: Role.WRITE,
    Action.AUDIT_READ: Role.ADMIN,
    Action.COLLECTION_SEE: Role.READ,
    Action.COLLECTION_VOTE: Role.READ,
    Action.COLLECTION_CHANGE: Role.WRITE,
    Action.COLLECTION_CREATE: Role.CONTRIBUTOR,
    Action.ORG_SEE: Role.READ,
    Action.ORG_MANAGE: Role.ADMIN,
    Action.ORG_TEAMS: Role.ADMIN,
    Action.ORG_OWN: Role.ADMIN,
    Action.WEBHOOKS_SEE: Role.ADMIN,
    Action.WEBHOOKS_CHANGE: Role.ADMIN,
}
"""The least role in a thing's namespace that an action needs."""

BEGINS = frozenset({Action.REPO_CREATE, Action.COLLECTION_CREATE})
"""What is asked of a namespace, of nothing that is there already."""

OPEN_TO_ALL = frozenset(
    {
        Action.REPO_SEE,
        Action.REPO_READ,
        Action.REPO_LIKE,
        Action.REPO_DISCUSS,
        Action.REPO_PROPOSE,
        Action.REPO_ASK,
        Action.COLLECTION_SEE,
        Action.COLLECTION_VOTE,
    }
)
"""What anybody may do with what is public, but for what gating narrows."""

NARROWED_BY_GATE = frozenset({Action.REPO_READ, Action.REPO_PROPOSE})
"""What shows the content of files."""

CHANGES = frozenset(
    {
        Action.SIGN_IN_TO_WRITE,
        Action.ACCOUNT_MANAGE,
        Action.REPO_LIKE,
        Action.REPO_DISCUSS,
        Action.REPO_PROPOSE,
        Action.REPO_WRITE,
        Action.REPO_MANAGE,
        Action.REPO_PROTECT,
        Action.REPO_ASK,
        Action.REPO_CREATE,
        Action.ACCESS_DECIDE,
        Action.COLLECTION_VOTE,
        Action.COLLECTION_CHANGE,
        Action.COLLECTION_CREATE,
        Action.ORG_MANAGE,
        Action.ORG_TEAMS,
        Action.ORG_OWN,
        Action.WEBHOOKS_CHANGE,
    }
)
"""What a read-only credential may never do."""


class Permission(StrEnum):
    """What a fine-grained token is allowed; the words are those that clients read of tokens."""

    CONTENT_READ = "repo.content.read"
    """See private repos, and read their files."""
    CONTENT_WRITE = "repo.content.write"
    """Commit and upload, but change no settings. Ours: for jobs and CI."""
    REPO_WRITE = "repo.write"
    """Commit, create, rename, delete, change settings."""
    ACCESS_READ = "repo.access.read"
    """See who asks for access to gated repos."""
    GATED_READ = "repo.gated.read"
    """Read the files of others' gated repos that one has access to: ``canReadGatedRepos``."""
    DISCUSS = "discussion.write"
    """Like and discuss; open pull requests."""
    COLLECTION_READ = "collection.read"
    COLLECTION_WRITE = "collection.write"
    WEBHOOKS_READ = "user.webhooks.read"
    WEBHOOKS_WRITE = "user.webhooks.write"
    JOB_WRITE = "job.write"
    """Start and stop jobs."""
    ORG_READ = "org.read"
    """See the settings and members of an organisation."""
    ORG_WRITE = "org.write"
    """Change them."""


IMPLIES: dict[Permission, frozenset[Permission]] = {
    Permission.CONTENT_WRITE: frozenset({Permission.CONTENT_READ}),
    Permission.REPO_WRITE: frozenset(
        {Permission.CONTENT_READ, Permission.CONTENT_WRITE, Permission.ACCESS_READ}
    ),
    Permission.COLLECTION_WRITE: frozenset({Permission.COLLECTION_READ}),
    Permission.WEBHOOKS_WRITE: frozenset({Permission.WEBHOOKS_READ}),
    Permission.ORG_WRITE: frozenset({Permission.ORG_READ}),
}
"""What comes with a permission: nobody writes what they may not read."""

WRITING = frozenset(one for one in Permission if one.value.endswith(".write"))
"""Without any of these a token changes nothing."""

PERMITTED_BY: dict[Action, frozenset[Permission]] = {
    Action.REPO_SEE: frozenset({Permission.CONTENT_READ}),
    Action.REPO_READ: frozenset({Permission.CONTENT_READ}),
    Action.REPO_LIKE: frozenset({Permission.DISCUSS}),
    Action.REPO_DISCUSS: frozenset({Permission.DISCUSS}),
    Action.REPO_PROPOSE: frozenset({Permission.DISCUSS, Permission.CONTENT_WRITE}),
    Action.REPO_WRITE: frozenset({Permission.CONTENT_WRITE}),
    Action.REPO_MANAGE: frozenset({Permission.REPO_WRITE}),
    Action.REPO_PROTECT: frozenset({Permission.REPO_WRITE}),
    Action.REPO_ASK: frozenset({Permission.GATED_READ}),
    Action.REPO_CREATE: frozenset({Permission.REPO_WRITE}),
    Action.ACCESS_SEE: frozenset({Permission.ACCESS_READ}),
    Action.ACCESS_DECIDE: frozenset({Permission.REPO_WRITE}),
    Action.COLLECTION_SEE: frozenset({Permission.COLLECTION_READ}),
    Action.COLLECTION_VOTE: frozenset({Permission.COLLECTION_WRITE}),
    Action.COLLECTION_CHANGE: frozenset({Permission.COLLECTION_WRITE}),
    Action.COLLECTION_CREATE: frozenset({Permission.COLLECTION_WRITE}),
    Action.ORG_SEE: frozenset({Permission.ORG_READ}),
    Action.ORG_MANAGE: frozenset({Permission.ORG_WRITE}),
    Action.ORG_TEAMS: frozenset({Permission.ORG_WRITE}),
    Action.WEBHOOKS_SEE: frozenset({Permission.WEBHOOKS_READ}),
    Action.WEBHOOKS_CHANGE: frozenset({Permission.WEBHOOKS_WRITE}),
}
"""Any of which lets a fine-grained token do it, where its owner may. What is missing here such a
token never does. Of what anybody may read no permission is asked."""

SEEN_BY: dict[str, Permission] = {
    "repo": Permission.CONTENT_READ,
    "access": Permission.ACCESS_READ,
    "collection": Permission.COLLECTION_READ,
    "org": Permission.ORG_READ,
    "webhooks": Permission.WEBHOOKS_READ,
}
"""The permission under which the owner's role counts at all for things that actions name so;
without it their token is a stranger's."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a fine-grained token is allowed, and where; without it a token is as its owner."""

    everywhere: frozenset[Permission] = frozenset()
    in_namespaces: Mapping[int, frozenset[Permission]] = field(default_factory=dict)
    on_repos: Mapping[int, frozenset[Permission]] = field(default_factory=dict)

    def on(self, namespace_id: int, repo_id: int | None = None) -> frozenset[Permission]:
        """All that is allowed to a thing of a namespace, and what comes with it."""
        named = self.everywhere | self.in_namespaces.get(namespace_id, frozenset())
        if repo_id is not None:
            named |= self.on_repos.get(repo_id, frozenset())
        return with_implied(named)

    def has_everywhere(self, permission: Permission) -> bool:
        return permission in with_implied(self.everywhere)

    def namespaces_with(self, permission: Permission) -> list[int]:
        return [pk for pk, named in self.in_namespaces.items() if permission in with_implied(named)]

    def repos_with(self, permission: Permission) -> list[int]:
        return [pk for pk, named in self.on_repos.items() if permission in with_implied(named)]

    @property
    def writes(self) -> bool:
        """Whether there is anything that it may change."""
        named = {*self.everywhere}.union(*self.in_namespaces.values(), *self.on_repos.values())
        return bool(named & WRITING)


def with_implied(named: Iterable[Permission]) -> frozenset[Permission]:
    """The permissions and what comes with each."""
    given = frozenset(named)
    return given.union(*(IMPLIES.get(one, frozenset()) for one in given))
