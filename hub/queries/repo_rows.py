"""RepoRow: a repo with what lists tell of it; tuples, because a page has a thousand of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from hub.models import Repo, sql
from hub.names import RepoKind
from teams.names import public_id

COLUMNS = """r.id, r.kind, n.name, r.name, r.visibility, r.gate, r.sdk, r.created_at,
    r.last_modified, r.likes, r.downloads, r.downloads_all_time, r.trending, c.tags,
    c.pipeline_tag, c.library_name, c.parameters"""

TABLES = """hub_repo r
    JOIN teams_namespace n ON n.id = r.namespace_id
    JOIN hub_repocard c ON c.repo_id = r.id"""


class RepoRow(NamedTuple):
    """One repo, in the order of ``COLUMNS``."""

    id: int
    kind: str
    namespace: str
    name: str
    visibility: str
    gate: str
    sdk: str
    created_at: datetime
    last_modified: datetime
    likes: int
    downloads: int
    downloads_all_time: int
    trending: float
    tags: list[str]
    pipeline_tag: str
    library_name: str
    parameters: int | None

    def __str__(self) -> str:
        return self.full_name

    @property
    def repo_kind(self) -> RepoKind:
        return RepoKind(self.kind)

    @property
    def full_name(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def private(self) -> bool:
        return self.visibility == Repo.Visibility.PRIVATE.value

    @property
    def gated(self) -> str | bool:
        """``False``, ``"auto"`` or ``"manual"``: the shape that clients read."""
        return self.gate or False

    @property
    def url(self) -> str:
        """Path of the repo's page."""
        return f"/{self.repo_kind.prefix}{self.full_name}"

    @property
    def public_id(self) -> str:
        """24 hex digits, the shape in which clients expect ids."""
        return public_id(self.id)


def rows_by_id(repo_ids: Iterable[int]) -> list[RepoRow]:
    """Read repos by id; who may see them is for the caller to have asked."""
    query = f"SELECT {COLUMNS} FROM {TABLES} WHERE r.id = ANY(%s)"
    return [RepoRow._make(row) for row in sql.rows(query, [list(repo_ids)])]
