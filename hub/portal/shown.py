"""Values that pages show: a repo, a commit, an entry; what templates read, and nothing to ask."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from hub.http import links
from hub.models import Repo, RepoCard
from hub.portal.shown_security import ShownVerdict
from hub.queries.history import CommitRow, LastCommit
from hub.queries.repo_page import RefNames
from hub.queries.repo_rows import RepoRow
from hub.queries.trees import EntryFacts

SHORT = 7
SAME_FOR_ALL = "region:"
"""Begins a tag that every repo has because clients expect one; it tells people nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRepo:
    """A repo in a list, or above its own pages."""

    kind: str
    full_name: str
    url: str
    private: bool
    gated: str | bool
    likes: int
    downloads: int
    last_modified: datetime
    created_at: datetime
    pipeline_tag: str = ""
    library_name: str = ""
    tags: list[str] = field(default_factory=list)
    parameters: int | None = None
    description: str = ""
    snippet_html: str = ""
    sha: str = ""

    @classmethod
    def of_row(cls, row: RepoRow, *, description: str = "", snippet_html: str = "") -> "ShownRepo":
        return cls(
            kind=row.kind,
            full_name=row.full_name,
            url=row.url,
            private=row.private,
            gated=row.gated,
            likes=row.likes,
            downloads=row.downloads,
            last_modified=row.last_modified,
            created_at=row.created_at,
            pipeline_tag=row.pipeline_tag or "",
            library_name=row.library_name or "",
            tags=row.tags or [],
            parameters=row.parameters,
            description=description,
            snippet_html=snippet_html,
        )

    @classmethod
    def of(cls, repo: Repo, card: RepoCard, sha: str = "") -> "ShownRepo":
        return cls(
            kind=repo.kind,
            full_name=repo.full_name,
            url=repo.url,
            private=repo.private,
            gated=repo.gated,
            likes=repo.likes,
            downloads=repo.downloads,
            last_modified=repo.last_modified,
            created_at=repo.created_at,
            pipeline_tag=card.pipeline_tag,
            library_name=card.library_name,
            tags=[tag for tag in card.tags if not tag.startswith(SAME_FOR_ALL)],
            parameters=card.parameters,
            description=card.description,
            sha=sha,
        )


def shown_rows(rows: Iterable[RepoRow], descriptions: Mapping[int, str]) -> list[ShownRepo]:
    return [ShownRepo.of_row(row, description=descriptions.get(row.id, "")) for row in rows]


class Link(NamedTuple):
    """A name and where it leads."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class ShownCommit:
    """A commit in a list, in a line above a listing, or on its own page."""

    oid: str
    title: str
    author: str
    date: datetime
    url: str
    message: str = ""
    files_url: str = ""
    parents: tuple["ShownParent", ...] = ()

    @property
    def short(self) -> str:
        return self.oid[:SHORT]

    @classmethod
    def of(cls, commit: CommitRow | LastCommit, repo: Repo) -> "ShownCommit":
        return cls(
            oid=commit.oid.hex(),
            title=commit.title or "(no message)",
            author=commit.author,
            date=commit.created_at,
            url=links.commit_url(repo.url, commit.oid),
        )


class ShownParent(NamedTuple):
    """The commit before."""

    short: str
    url: str


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """A file or folder in a listing."""

    name: str
    url: str
    is_dir: bool
    size: int
    lfs: bool
    xet: bool
    last_commit: ShownCommit | None
    download_url: str = ""
    verdict: ShownVerdict | None = None

    @classmethod
    def of(
        cls,
        entry: EntryFacts,
        repo: Repo,
        revision: str,
        last: LastCommit | None = None,
        verdict: ShownVerdict | None = None,
    ) -> "ShownEntry":
        where = links.tree_url if entry.is_folder else links.blob_url
        return cls(
            name=readable(entry.name),
            url=where(repo.url, revision, entry.path),
            is_dir=entry.is_folder,
            size=entry.size,
            lfs=entry.large is not None,
            xet=entry.large is not None and entry.large.xet_hash is not None,
            last_commit=ShownCommit.of(last, repo) if last else None,
            download_url=""
            if entry.is_folder
            else links.download_url(repo.url, revision, entry.path),
            verdict=verdict,
        )


PageAt = Callable[[str, str, str], str]
"""Answers the address of a page of a repo, at a revision, for a path."""


@dataclass(frozen=True, slots=True)
class ShownRefs:
    """The revisions to choose from, each with the same page at it."""

    branches: list[Link]
    tags: list[Link]

    @classmethod
    def of(cls, names: RefNames, repo: Repo, page: PageAt, path: str) -> "ShownRefs":
        return cls(
            [Link(name, page(repo.url, name, path)) for name in names.branches],
            [Link(name, page(repo.url, name, path)) for name in names.tags],
        )


def breadcrumbs(repo: Repo, revision: str, path: str) -> list[Link]:
    """The folders from the root of the repo down to ``path``."""
    parts = path.split("/") if path else []
    crumbs = [Link(repo.name, links.tree_url(repo.url, revision))]
    for depth, part in enumerate(parts, 1):
        folder = "/".join(parts[:depth])
        crumbs.append(Link(readable(part), links.tree_url(repo.url, revision, folder)))
    return crumbs


def readable(name: str) -> str:
    """A name as text: bytes that are no UTF-8, which git allows, become question marks."""
    return name.encode(errors="replace").decode()
