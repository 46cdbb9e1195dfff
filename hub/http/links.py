"""Paths of pages. Django's ``reverse`` would quote the ``%2F`` of a revision a second time."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from hub.names import RepoKind


def repo_url(kind: RepoKind, full_name: str) -> str:
    """Answer the path of a repo's page."""
    return f"/{kind.prefix}{full_name}"


def list_url(kind: RepoKind, **query: str) -> str:
    """Answer the path of a list of repos."""
    return with_query(f"/{kind.plural}", query)


def tree_url(repo: str, revision: str, path: str = "") -> str:
    """Answer the path of a folder; ``repo`` is the path of the repo's page, here and below."""
    return _at(repo, "tree", revision, path)


def blob_url(repo: str, revision: str, path: str) -> str:
    return _at(repo, "blob", revision, path)


def commits_url(repo: str, revision: str, path: str = "") -> str:
    return _at(repo, "commits", revision, path)


def commit_url(repo: str, oid: bytes) -> str:
    return f"{repo}/commit/{oid.hex()}"


def resolve_url(repo: str, revision: str, path: str) -> str:
    """Answer where the bytes of a file are."""
    return _at(repo, "resolve", revision, path)


def raw_url(repo: str, revision: str, path: str) -> str:
    """Answer where the bytes are that git stores."""
    return _at(repo, "raw", revision, path)


def download_url(repo: str, revision: str, path: str) -> str:
    return f"{resolve_url(repo, revision, path)}?download=true"


def with_query(path: str, query: Mapping[str, str]) -> str:
    """Add those of the parameters that hold something."""
    text = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{text}" if text else path


def _at(repo: str, what: str, revision: str, path: str) -> str:
    base = f"{repo}/{what}/{quote(revision, safe='')}"
    # Names of files that are no valid UTF-8 come through git; their bytes are quoted as they are.
    return f"{base}/{quote(path, errors='surrogateescape')}" if path else base


@dataclass(frozen=True, slots=True)
class TextLinks:
    """Where the relative links and images lead of a text in ``folder``."""

    repo: str
    revision: str
    folder: str = ""

    @property
    def place(self) -> str:
        return f"{tree_url(self.repo, self.revision)}/{self.folder}"

    def link(self, path: str) -> str:
        inside = self._inside(path)
        if not inside:
            return tree_url(self.repo, self.revision)
        return blob_url(self.repo, self.revision, inside)

    def image(self, path: str) -> str:
        return resolve_url(self.repo, self.revision, self._inside(path))

    def _inside(self, path: str) -> str:
        return f"{self.folder}/{path}".strip("/")
