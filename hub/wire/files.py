"""Wire: resolve, raw, tree, paths-info, safetensors headers."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict

from hub.errors import BadPath, EntryNotFound
from hub.http.bytes import serve
from hub.http.dates import iso
from hub.http.repo_views import OfRepo
from hub.http.security_json import file_status
from hub.names import EntryPath
from hub.queries import history, trees
from hub.queries.content import content_of, pointer_of
from hub.queries.history import CommitRow, LastCommit
from hub.queries.safetensors import sharded_headers
from hub.queries.scans import Scanned, key_of, verdicts_of
from hub.queries.trees import EntryFacts, Found
from hub.services import downloads
from hub.xet.hashing import to_text
from teams.errors import Invalid, Refusal, TooLarge
from teams.http.address import address_of
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.origin import base_url
from teams.http.pagination import flag, limit_of, with_next
from teams.http.views import WireView
from teams.roles import Action

ENTRIES_A_PAGE = 1000
EXPANDED_A_PAGE = 1000
MAX_PATHS = 5000


class OfCommit(OfRepo, WireView):
    """What views of one commit share: every answer names the commit, refusals too."""

    def refuse(self, refusal: Refusal) -> HttpResponse:
        response = super().refuse(refusal)
        if self.commit is not None:
            response["X-Repo-Commit"] = self.commit.oid.hex()
        return response


class Resolve(OfCommit):
    """GET, HEAD /{name}/resolve/{revision}/{path}: the bytes of a file."""

    bucket = "resolvers"
    authz = {"get": Action.REPO_READ}

    def get(self, request: HttpRequest, **_: object) -> HttpResponseBase:
        commit = self.resolve()
        entry = trees.entry_facts(self.repo.pk, commit, self.path())
        if entry.is_folder:
            raise EntryNotFound(f'"{entry.path}" is a folder.')
        downloads.note(self.repo, self._caller(request))
        response = serve(
            request,
            content_of(self.repo, entry),
            as_attachment=flag(request, "download"),
        )
        response["X-Repo-Commit"] = commit.oid.hex()
        if entry.large:
            self._announce(response, entry, commit, request)
        return response

    def _caller(self, request: HttpRequest) -> str:
        user = self.principal.user
        return f"user {user.pk}" if user else address_of(request)

    def _announce(
        self, response: HttpResponseBase, entry: EntryFacts, commit: CommitRow, request: HttpRequest
    ) -> None:
        """Tell the true size and digest of a large file, and where to get it by Xet."""
        response["X-Linked-Size"] = str(entry.size)
        response["X-Linked-Etag"] = f'"{entry.etag}"'
        if entry.large and entry.large.xet_hash:
            repo = self.repo
            response["X-Xet-Hash"] = to_text(entry.large.xet_hash)
            route = (
                f"{base_url(request)}/api/{repo.repo_kind.plural}/{repo}"
                f"/xet-read-token/{commit.oid.hex()}"
            )
            response["Link"] = f'<{route}>; rel="xet-auth"'


class Raw(OfCommit):
    """GET /{name}/raw/{revision}/{path}: what git stores; for a large file that is its pointer."""

    bucket = "resolvers"
    authz = {"get": Action.REPO_READ}

    def get(self, request: HttpRequest, **_: object) -> HttpResponseBase:
        commit = self.resolve()
        entry = trees.entry_facts(self.repo.pk, commit, self.path())
        if entry.is_folder:
            raise EntryNotFound(f'"{entry.path}" is a folder.')
        response = serve(request, pointer_of(self.repo, entry))
        response["X-Repo-Commit"] = commit.oid.hex()
        return response


class Tree(OfCommit):
    """GET /api/{kind}s/{name}/tree/{revision}[/{path}]: a folder, or all below it."""

    authz = {"get": Action.REPO_SEE}

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        commit, start = self._place(request)
        expand = flag(request, "expand")
        most = EXPANDED_A_PAGE if expand else ENTRIES_A_PAGE
        limit = limit_of(request, default=most, most=most)
        list_entries = trees.list_all if flag(request, "recursive") else trees.list_folder
        found = list_entries(self.repo.pk, commit, self.path())
        page = found[start : start + limit]
        response = JsonAnswer(self._shown(commit, page, expand=expand))
        if len(found) > start + limit:
            with_next(response, request, cursor=f"{commit.oid.hex()}.{start + limit}")
        return response

    def _place(self, request: HttpRequest) -> tuple[CommitRow, int]:
        """A cursor names the commit of the first page: a push in between changes no page."""
        cursor = request.GET.get("cursor", "")
        if not cursor:
            return self.resolve(), 0
        oid, _, start = cursor.partition(".")
        if not start.isdigit() or len(start) > 12:  # noqa: PLR2004 - no repo has that many entries
            raise Invalid("The cursor is not one of ours.")
        self.kwargs["revision"] = oid
        return self.resolve(), int(start)

    def _shown(
        self, commit: CommitRow, page: Sequence[Found], *, expand: bool
    ) -> list[dict[str, Any]]:
        entries = trees.facts_of(self.repo.pk, page)
        return entries_json(self.repo.pk, commit, entries, expand=expand)


class PathsInfo(OfCommit):
    """POST /api/{kind}s/{name}/paths-info/{revision}: entries by path, without unknown ones."""

    authz = {"post": Action.REPO_SEE}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        commit = self.resolve()
        texts, expand = _asked(request)
        if len(texts) > MAX_PATHS:
            raise TooLarge(f"Ask for at most {MAX_PATHS} paths at a time.")
        paths = {text.strip("/"): None for text in texts if text.strip("/")}
        found = trees.find_many(self.repo.pk, commit, _valid(paths))
        entries = trees.facts_of(self.repo.pk, found)
        return JsonAnswer(entries_json(self.repo.pk, commit, entries, expand=expand))


def _asked(request: HttpRequest) -> tuple[list[str], bool]:
    """Read paths and ``expand`` from a form (all Python clients) or from JSON."""
    if request.content_type == "application/json":
        body = Body.of(request)
        return body.texts("paths"), bool(body.boolean("expand"))
    form = QueryDict(request.body)
    return form.getlist("paths"), form.get("expand", "").lower() in {"true", "1"}


def _valid(texts: dict[str, None]) -> list[EntryPath]:
    paths: list[EntryPath] = []
    for text in texts:
        try:
            paths.append(EntryPath.parse(text))
        except BadPath:
            continue
    return paths


class Safetensors(OfCommit):
    """GET /api/models/{name}/safetensors-metadata/{path}: headers of all shards of an index."""

    authz = {"get": Action.REPO_READ}

    def get(self, _request: HttpRequest, **_: object) -> JsonAnswer:
        return JsonAnswer(sharded_headers(self.repo, self.resolve(), self.path()))


def last_commits(
    repo_id: int, commit: CommitRow, entries: Sequence[EntryFacts]
) -> dict[str, LastCommit]:
    """For each entry's path the commit that last changed it; one query per folder."""
    folders: dict[str, list[str]] = {}
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        folders.setdefault(folder, []).append(name)
    return {
        f"{folder}/{name}".removeprefix("/"): last
        for folder, names in folders.items()
        for name, last in history.last_commits(repo_id, commit, folder, names).items()
    }


def entries_json(
    repo_id: int, commit: CommitRow, entries: Sequence[EntryFacts], *, expand: bool
) -> list[dict[str, Any]]:
    """Entries in the shape that clients read; expanded with last commits and verdicts."""
    if not expand:
        return [entry_json(entry) for entry in entries]
    last = last_commits(repo_id, commit, entries)
    files = (key_of(entry) for entry in entries if not entry.is_folder)
    verdicts = verdicts_of(repo_id, files)
    return [entry_json(entry) | _more(entry, last, verdicts) for entry in entries]


def _more(
    entry: EntryFacts, last: Mapping[str, LastCommit], verdicts: Mapping[bytes, Scanned]
) -> dict[str, Any]:
    commit = last.get(entry.path)
    told = commit and {
        "id": commit.oid.hex(),
        "title": commit.title,
        "date": iso(commit.created_at),
    }
    if entry.is_folder:
        return {"lastCommit": told}
    return {"lastCommit": told, "securityFileStatus": file_status(verdicts.get(key_of(entry)))}


def entry_json(entry: EntryFacts) -> dict[str, Any]:
    """One entry in the shape that clients read."""
    row: dict[str, Any] = {
        "type": "directory" if entry.is_folder else "file",
        "oid": entry.oid.hex(),
        "size": entry.size,
        "path": entry.path,
    }
    if entry.large:
        row["lfs"] = {
            "oid": entry.large.sha256.hex(),
            "size": entry.large.size,
            "pointerSize": entry.large.pointer_size,
        }
        if entry.large.xet_hash:
            row["xetHash"] = to_text(entry.large.xet_hash)
    return row
