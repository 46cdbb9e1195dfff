"""What hub announces: frozen values, no machinery. Each is a row of the outbox and a webhook."""

from dataclasses import dataclass
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
