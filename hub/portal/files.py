"""HTML: folders and files of one revision."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hub.cards.snippets import Subject, uploads
from hub.errors import BadObject
from hub.http import links
from hub.http.bytes import INLINE, media_type
from hub.http.links import TextLinks
from hub.models import Repo
from hub.names import EntryPath
from hub.portal.repo_page import RepoPage
from hub.portal.shown import ShownCommit, ShownEntry, ShownRefs, breadcrumbs
from hub.portal.shown_security import ShownVerdict, shown_verdict
from hub.queries import history, trees
from hub.queries.content import content_of
from hub.queries.history import CommitRow
from hub.queries.readmes import Readme, readme
from hub.queries.repo_page import ref_names
from hub.queries.safetensors import SUFFIX, header_of
from hub.queries.scans import key_of, verdicts_of
from hub.queries.trees import EntryFacts, Found
from hub.xet.hashing import to_text
from teams.http.origin import base_url
from teams.roles import Action

ENTRIES_A_PAGE = 250
MAX_TEXT_BYTES = 512 * 1024
MAX_LINES = 20_000
MAX_TENSORS = 5_000
README = "readme.md"
SHORT_NUMBER = 9
"""Digits of a number of entries that no folder reaches."""
_MARKDOWN = (".md", ".markdown")


class Folder(RepoPage):
    """GET /{name}/tree/{revision}[/{path}]."""

    authz = {"get": Action.REPO_READ}
    tab = "files"
    template = "hub/files.html"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        commit, path = self.resolve(), self.path()
        found = trees.find(self.repo.pk, commit, path)
        if not found.is_folder:
            return redirect(links.blob_url(self.repo.url, self.revision, path.text))
        entries = trees.list_folder(self.repo.pk, commit, path)
        start = start_of(request)
        page = sorted(entries, key=lambda entry: not entry.is_folder)[
            start : start + ENTRIES_A_PAGE
        ]
        more = len(entries) > start + ENTRIES_A_PAGE
        return self.page(
            self._around(commit, path)
            | {
                "entries": self._shown(commit, path, page),
                "next_url": f"{self._url(path)}?after={start + ENTRIES_A_PAGE}" if more else "",
                "can_write": self.can_write,
                "uploads": uploads(self._subject()) if self.can_write else [],
                "readme": self._readme(entries, path) if path.text and not start else None,
            }
        )

    def _url(self, path: EntryPath) -> str:
        return links.tree_url(self.repo.url, self.revision, path.text)

    def _subject(self) -> Subject:
        return Subject(self.repo.repo_kind, self.repo.full_name, base_url(self.request))

    def _around(self, commit: CommitRow, path: EntryPath) -> dict[str, Any]:
        repo = self.repo
        return {
            "revision": self.revision,
            "refs": ShownRefs.of(ref_names(repo), repo, links.tree_url, path.text),
            "breadcrumbs": breadcrumbs(repo, self.revision, path.text),
            "parent_url": self._url(EntryPath(path.folder)) if path.text else "",
            "last_commit": last_commit(self, commit, path),
            "commits_url": links.commits_url(repo.url, self.revision, path.text),
        }

    def _shown(self, commit: CommitRow, path: EntryPath, page: Sequence[Found]) -> list[ShownEntry]:
        names = [entry.name for entry in page if entry.name.isprintable()]
        last = history.last_commits(self.repo.pk, commit, path.text, names)
        entries = trees.facts_of(self.repo.pk, page)
        verdicts = shown_verdicts(self.repo, entries)
        return [
            ShownEntry.of(
                entry, self.repo, self.revision, last.get(entry.name), verdicts.get(entry.path)
            )
            for entry in entries
        ]

    def _readme(self, entries: Sequence[Found], path: EntryPath) -> Readme | None:
        """The README of a folder; that of the root is the card, on a page of its own."""
        found = next((entry for entry in entries if entry.name.lower() == README), None)
        if found is None or found.is_folder:
            return None
        addresses = TextLinks(self.repo.url, self.revision, path.text)
        return readme(self.repo.pk, found.oid, addresses)


class File(RepoPage):
    """GET /{name}/blob/{revision}/{path}."""

    authz = {"get": Action.REPO_READ}
    tab = "files"
    template = "hub/file.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        commit, path = self.resolve(), self.path()
        entry = trees.entry_facts(self.repo.pk, commit, path)
        url, revision = self.repo.url, self.revision
        if entry.is_folder:
            return redirect(links.tree_url(url, revision, path.text))
        verdict = shown_verdicts(self.repo, [entry])[entry.path]
        return self.page(
            {
                "entry": ShownEntry.of(entry, self.repo, revision, None, verdict),
                "security_url": f"{url}/security",
                "revision": revision,
                "refs": ShownRefs.of(ref_names(self.repo), self.repo, links.blob_url, path.text),
                "breadcrumbs": breadcrumbs(self.repo, revision, path.text),
                "last_commit": last_commit(self, commit, path),
                "pointer": pointer_in(entry),
                "raw_url": links.raw_url(url, revision, path.text),
                "download_url": links.download_url(url, revision, path.text),
                "history_url": links.commits_url(url, revision, path.text),
                **({} if verdict.is_withheld else self._content(entry)),
            }
        )

    def _content(self, entry: EntryFacts) -> dict[str, Any]:
        """What the page shows of the bytes: a picture, tensors, a rendered or a plain text."""
        path = entry.path
        if media_type(entry.name) in INLINE and media_type(entry.name).startswith("image/"):
            image_url = links.resolve_url(self.repo.url, self.revision, path)
            return {"is_image": True, "image_url": image_url}
        if path.endswith(SUFFIX):
            return {"safetensors_tensors": self._tensors(entry)}
        if path.lower().endswith(_MARKDOWN) and entry.large is None:
            addresses = TextLinks(self.repo.url, self.revision, path.rpartition("/")[0])
            return {"rendered_html": readme(self.repo.pk, entry.oid, addresses).html}
        return {"text": self._text(entry)}

    def _text(self, entry: EntryFacts) -> str | None:
        if entry.size > MAX_TEXT_BYTES:
            return None
        raw = b"".join(content_of(self.repo, entry).read(0, entry.size))
        if b"\0" in raw:
            return None
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return None
        return text if len(text.splitlines()) <= MAX_LINES else None

    def _tensors(self, entry: EntryFacts) -> list[dict[str, object]]:
        try:
            header = header_of(self.repo, entry)
        except BadObject:
            return []
        return [
            {
                "name": name,
                "dtype": tensor.dtype,
                "shape": " \N{MULTIPLICATION SIGN} ".join(map(str, tensor.shape)) or "scalar",
                "params": tensor.elements,
            }
            for name, tensor in list(header.tensors.items())[:MAX_TENSORS]
        ]


def shown_verdicts(repo: Repo, entries: Sequence[EntryFacts]) -> dict[str, ShownVerdict]:
    """What scanners say of files, by path, in one query."""
    files = {entry.path: key_of(entry) for entry in entries if not entry.is_folder}
    known = verdicts_of(repo.pk, files.values())
    return {path: shown_verdict(repo, key, known.get(key), path) for path, key in files.items()}


def last_commit(page: RepoPage, commit: CommitRow, path: EntryPath) -> ShownCommit | None:
    """The commit that last changed what the page shows."""
    if not path.text:
        return ShownCommit.of(commit, page.repo)
    found = history.path_log(page.repo.pk, commit, path.text, 1)
    return ShownCommit.of(found[0], page.repo) if found else None


def pointer_in(entry: EntryFacts) -> dict[str, object] | None:
    """By what a large file is known."""
    if entry.large is None:
        return None
    xet_hash = entry.large.xet_hash
    return {
        "sha256": entry.large.sha256.hex(),
        "size": entry.large.size,
        "xet_hash": to_text(xet_hash) if xet_hash else "",
    }


def start_of(request: HttpRequest) -> int:
    text = request.GET.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < SHORT_NUMBER else 0
