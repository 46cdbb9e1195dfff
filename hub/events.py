"""What hub announces: frozen values, no machinery. Each is a row of the outbox and a webhook."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class News:
    """Something that became true of a repo.

    Scope and action are those of webhooks: https://huggingface.co/docs/hub/webhooks.
    """

    scope: ClassVar[str]
    action: ClassVar[str]

    def details(self) -> dict[str, Any]:
        """What the outbox keeps of it beside scope and action, as JSON."""
        return {}


@dataclass(frozen=True, slots=True)
class RepoCreated(News):
    """There is a new repo."""

    scope: ClassVar[str] = "repo"
    action: ClassVar[str] = "create"


@dataclass(frozen=True, slots=True)
class RepoDeleted(News):
    """A repo is gone, with its history."""

    scope: ClassVar[str] = "repo"
    action: ClassVar[str] = "delete"


@dataclass(frozen=True, slots=True)
class RepoMoved(News):
    """A repo has another name; it is announced under the old one."""

    scope: ClassVar[str] = "repo"
    action: ClassVar[str] = "move"
    name: str
    owner_id: int
    """The namespace that it went to."""

    def details(self) -> dict[str, Any]:
        return {"name": self.name, "owner_id": self.owner_id}


@dataclass(frozen=True, slots=True)
class SettingsChanged(News):
    """Visibility, gate or other settings of a repo are others."""

    scope: ClassVar[str] = "repo.config"
    action: ClassVar[str] = "update"
    private: bool | None = None
    """The new visibility, None if it is the old one."""

    def details(self) -> dict[str, Any]:
        return {} if self.private is None else {"private": self.private}


@dataclass(frozen=True, slots=True)
class RefMove:
    """A ref that points elsewhere; no ``old`` if it is new, no ``new`` if it is deleted."""

    ref: str
    old: bytes | None
    new: bytes | None


@dataclass(frozen=True, slots=True)
class RefsMoved(News):
    """All refs that one commit, push or merge moved, at once."""

    scope: ClassVar[str] = "repo.content"
    action: ClassVar[str] = "update"
    refs: tuple[RefMove, ...]
    is_rewrite: bool = False
    """All of history has other ids now; what it says is the same but for what was taken out."""

    def details(self) -> dict[str, Any]:
        return {
            "refs": [
                {
                    "ref": one.ref,
                    "old": one.old.hex() if one.old else None,
                    "new": one.new.hex() if one.new else None,
                }
                for one in self.refs
            ]
        }


@dataclass(frozen=True, slots=True)
class DiscussionFacts:
    """A discussion or pull request as it is told of."""

    id: int
    num: int
    title: str
    status: str
    is_pull_request: bool
    author_id: int | None
    """The namespace of its author."""
    target: str = ""
    merge_commit: str | None = None
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class CommentFacts:
    """A comment as it is told of; without text it is hidden."""

    id: int
    author_id: int | None
    text: str | None
    mentioned: tuple[int, ...] = ()
    """Users whom an edit mentions for the first time."""


@dataclass(frozen=True, slots=True)
class DiscussionNews(News):
    """What became true of a discussion, and the comment that it is about."""

    discussion: DiscussionFacts
    comment: CommentFacts | None = None

    def details(self) -> dict[str, Any]:
        return {
            "discussion": asdict(self.discussion),
            "comment": asdict(self.comment) if self.comment else None,
        }


@dataclass(frozen=True, slots=True)
class DiscussionOpened(DiscussionNews):
    """There is a new discussion or pull request; the comment is its description."""

    scope: ClassVar[str] = "discussion"
    action: ClassVar[str] = "create"


@dataclass(frozen=True, slots=True)
class DiscussionChanged(DiscussionNews):
    """It has another title or status; a merge is a change of status."""

    scope: ClassVar[str] = "discussion"
    action: ClassVar[str] = "update"


@dataclass(frozen=True, slots=True)
class CommentAdded(DiscussionNews):
    """Somebody commented."""

    scope: ClassVar[str] = "discussion.comment"
    action: ClassVar[str] = "create"


@dataclass(frozen=True, slots=True)
class CommentChanged(DiscussionNews):
    """A comment was edited or hidden."""

    scope: ClassVar[str] = "discussion.comment"
    action: ClassVar[str] = "update"


@dataclass(frozen=True, slots=True)
class StatusReported(News):
    """A CI system said what it found out about a commit."""

    scope: ClassVar[str] = "repo.status"
    action: ClassVar[str] = "update"
    commit: str
    context: str
    state: str
    target_url: str

    def details(self) -> dict[str, Any]:
        return {"status": asdict(self)}


@dataclass(frozen=True, slots=True)
class AccessNews(News):
    """What is said of somebody's wish to read a gated repo."""

    id: int
    user: str
    status: str

    def details(self) -> dict[str, Any]:
        return {"accessRequest": asdict(self)}


@dataclass(frozen=True, slots=True)
class AccessAsked(AccessNews):
    """Somebody asked for access; an automatic gate let them in."""

    scope: ClassVar[str] = "repo.access"
    action: ClassVar[str] = "create"


@dataclass(frozen=True, slots=True)
class AccessDecided(AccessNews):
    """Somebody was let in, turned away, or is to wait again."""

    scope: ClassVar[str] = "repo.access"
    action: ClassVar[str] = "update"


@dataclass(frozen=True, slots=True)
class PullRequestApproved(News):
    """Somebody approved a pull request as it was at ``commit``."""

    scope: ClassVar[str] = "discussion.approval"
    action: ClassVar[str] = "create"
    num: int
    commit: str

    def details(self) -> dict[str, Any]:
        return {"approval": asdict(self)}


@dataclass(frozen=True, slots=True)
class PromotionNews(News):
    """What is said of a promotion."""

    id: int
    tag: str
    old: str | None
    new: str
    status: str

    def details(self) -> dict[str, Any]:
        return {"promotion": asdict(self)}


@dataclass(frozen=True, slots=True)
class PromotionAsked(PromotionNews):
    """Somebody asked that a tag name a commit."""

    scope: ClassVar[str] = "repo.promotion"
    action: ClassVar[str] = "create"


@dataclass(frozen=True, slots=True)
class PromotionDecided(PromotionNews):
    """It was carried out, or refused."""

    scope: ClassVar[str] = "repo.promotion"
    action: ClassVar[str] = "update"


@dataclass(frozen=True, slots=True)
class JobNews(News):
    """What is said of a job that works on a repo."""

    id: int
    kind: str
    status: str

    def details(self) -> dict[str, Any]:
        return {"job": asdict(self)}


@dataclass(frozen=True, slots=True)
class JobRequested(JobNews):
    """Somebody asked for it."""

    scope: ClassVar[str] = "repo.job"
    action: ClassVar[str] = "create"


@dataclass(frozen=True, slots=True)
class JobFinished(JobNews):
    """It is over: done, failed or cancelled."""

    scope: ClassVar[str] = "repo.job"
    action: ClassVar[str] = "update"


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What scanners found of a file, by what it is kept under: its SHA-256, or git's id of it."""

    key: str
    status: str


@dataclass(frozen=True, slots=True)
class SecurityChanged(News):
    """Files are known to be bad, or not to be any more; or somebody let them out."""

    scope: ClassVar[str] = "repo.security"
    action: ClassVar[str] = "update"
    files: tuple[FileVerdict, ...]

    def details(self) -> dict[str, Any]:
        return {"security": {"files": [asdict(one) for one in self.files]}}
