"""The roles and the actions that each may take: one table, no code paths."""

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
    REPO_CREATE = "repo.create"
    """Create a repo in a namespace, or move one into it."""

    COLLECTION_SEE = "collection.see"
    """Read a collection; its items show as far as their repos do."""
    COLLECTION_VOTE = "collection.vote"
    """Vote for it, and take the vote back."""
    COLLECTION_CHANGE = "collection.change"
    """Change its title and items; delete it."""
    COLLECTION_CREATE = "collection.create"
    """Begin a collection in a namespace."""


NEEDS: dict[Action, Role] = {
    Action.REPO_SEE: Role.READ,
    Action.REPO_READ: Role.READ,
    Action.REPO_LIKE: Role.READ,
    Action.REPO_DISCUSS: Role.READ,
    Action.REPO_PROPOSE: Role.READ,
    Action.REPO_WRITE: Role.WRITE,
    Action.REPO_MANAGE: Role.WRITE,
    Action.REPO_PROTECT: Role.ADMIN,
    Action.REPO_CREATE: Role.CONTRIBUTOR,
    Action.COLLECTION_SEE: Role.READ,
    Action.COLLECTION_VOTE: Role.READ,
    Action.COLLECTION_CHANGE: Role.WRITE,
    Action.COLLECTION_CREATE: Role.CONTRIBUTOR,
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
        Action.REPO_LIKE,
        Action.REPO_DISCUSS,
        Action.REPO_PROPOSE,
        Action.REPO_WRITE,
        Action.REPO_MANAGE,
        Action.REPO_PROTECT,
        Action.REPO_CREATE,
        Action.COLLECTION_VOTE,
        Action.COLLECTION_CHANGE,
        Action.COLLECTION_CREATE,
    }
)
"""What a read-only credential may never do."""
