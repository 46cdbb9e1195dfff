"""Wire: preupload, commit (NDJSON), history, compare."""

import base64
import binascii
from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse
from django.utils.html import escape

from hub.errors import RevisionNotFound
from hub.git.attributes import Attributes, IgnoreRules, upload_mode
from hub.git.refs import BRANCHES, PULL_REQUESTS
from hub.http.dates import iso
from hub.http.proposals import ToRevision
from hub.http.repo_views import OfRepo, revision_named
from hub.names import EntryPath, RevisionName
from hub.queries import diffs, history, trees
from hub.queries.history import CommitRow
from hub.services import commits, pull_requests, quotas
from hub.services.commits import (
    CopyFile,
    DeleteFile,
    DeleteFolder,
    Message,
    Operation,
    PutFile,
    PutLarge,
)
from teams.errors import Invalid, TooLarge
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.origin import base_url
from teams.http.pagination import limit_of, with_next
from teams.http.views import WireView
from teams.roles import Action

MAX_PREUPLOAD_FILES = 1000
MAX_LINE_BYTES = 24 * 1024 * 1024
"""The largest file that git takes, in base64, with its path; and room to spare."""
COMMITS_A_PAGE = 50


class Preupload(ToRevision, WireView):
    """POST /api/{kind}s/{name}/preupload/{revision}: how each file is to be uploaded."""

    authz = {"post": Action.REPO_WRITE}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        commit = self.resolve()
        body = Body.of(request)
        files = body.objects("files")
        if len(files) > MAX_PREUPLOAD_FILES:
            raise TooLarge(f"Ask for at most {MAX_PREUPLOAD_FILES} files at a time.")
        attributes = Attributes.parse(self._rules(commit, ".gitattributes", body, "gitAttributes"))
        ignored = IgnoreRules.parse(self._rules(commit, ".gitignore", body, "gitIgnore"))
        paths = {file.text("path"): EntryPath.parse(file.text("path")) for file in files}
        there = trees.facts_of(self.repo.pk, trees.find_many(self.repo.pk, commit, paths.values()))
        etags = {entry.path: entry for entry in there if not entry.is_folder}
        quotas.check_room(self.repo.namespace, sum(file.integer("size") or 0 for file in files))
        answers = [self._mode(file, attributes, ignored, etags) for file in files]
        return JsonAnswer({"files": answers, "commitOid": commit.oid.hex()})

    def _rules(self, commit: CommitRow, path: str, body: Body, key: str) -> str:
        given = body.text(key, "")
        if given:
            return given
        return (trees.read_file(self.repo.pk, commit, EntryPath(path)) or b"").decode(
            errors="replace"
        )

    def _mode(
        self,
        file: Body,
        attributes: Attributes,
        ignored: IgnoreRules,
        there: dict[str, trees.EntryFacts],
    ) -> dict[str, object]:
        path = file.text("path")
        mode = upload_mode(path, file.integer("size") or 0, _sample(file), attributes)
        entry = there.get(path)
        # Clients compare with the id of the form in which they would upload.
        comparable = entry is not None and (entry.large is not None) == (mode == "lfs")
        return {
            "path": path,
            "uploadMode": mode,
            "shouldIgnore": ignored.ignores(path),
            "oid": entry.etag if entry is not None and comparable else None,
        }


def _sample(file: Body) -> bytes:
    try:
        return base64.b64decode(file.text("sample", ""))
    except binascii.Error:
        raise Invalid('"sample" must be base64.') from None


class Commit(ToRevision, WireView):
    """POST /api/{kind}s/{name}/commit/{revision}: NDJSON, one operation a line."""

    authz = {"post": Action.REPO_WRITE}

    def post(self, request: HttpRequest, revision: str, **_: object) -> JsonAnswer:
        lines = _lines(request)
        header = _header(lines)
        parent = header.text("parentCommit", "")
        if parent and not RevisionName(parent).may_be_short_commit:
            raise Invalid('"parentCommit" must be 5 to 40 hexadecimal digits.')
        operations = (_operation(key, value) for key, value in lines)
        message = Message(header.text("summary"), header.text("description", ""))
        if not self.proposes:
            oid = commits.commit(
                repo=self.repo,
                branch=self._branch(revision),
                operations=operations,
                message=message,
                by=self.principal,
                parent=parent,
            )
            return JsonAnswer(self._told(oid))
        made = pull_requests.propose(
            repo=self.repo,
            branch=self._branch(revision),
            operations=operations,
            message=message,
            by=self.principal,
            parent=parent,
        )
        url = f"{base_url(request)}{made.url}"
        return JsonAnswer(self._told(bytes(made.head or b"")) | {"pullRequestUrl": url})

    def _told(self, commit: bytes) -> dict[str, object]:
        oid = commit.hex()
        return {
            "success": True,
            "commitUrl": f"{base_url(self.request)}{self.repo.url}/commit/{oid}",
            "commitOid": oid,
            "hookOutput": "",
        }

    def _branch(self, revision: str) -> RevisionName:
        name = revision_named(revision)
        if name.text.startswith("refs/") and not name.text.startswith((BRANCHES, PULL_REQUESTS)):
            raise RevisionNotFound(f"Invalid rev id: {name}. Commits go to branches.")
        return name


def _lines(request: HttpRequest) -> Iterator[tuple[str, Body]]:
    """Read line after line, so that a commit of many files is never in memory whole."""
    while raw := request.readline(MAX_LINE_BYTES + 1):
        if len(raw) > MAX_LINE_BYTES:
            raise TooLarge("One file of the commit is too large; upload it as a large file.")
        if raw.strip():
            line = Body.parse(raw)
            yield line.text("key"), Body(_object(line))


def _object(line: Body) -> dict[str, object]:
    value = line.values.get("value")
    if not isinstance(value, dict):
        raise Invalid('Each line must be {"key": …, "value": {…}}.')
    return value


def _header(lines: Iterator[tuple[str, Body]]) -> Body:
    key, header = next(lines, ("", Body({})))
    if key != "header":
        raise Invalid('The first line must have the key "header".')
    if not header.text("summary").strip():
        raise Invalid('"summary" must not be empty.')
    return header


def _operation(key: str, value: Body) -> Operation:
    if key not in _OPERATIONS:
        raise Invalid(f"{key!r} is not an operation; known are {', '.join(_OPERATIONS)}.")
    return _OPERATIONS[key](value)


def _put_file(value: Body) -> PutFile:
    path = EntryPath.parse(value.text("path"))
    content = value.text("content")
    if value.text("encoding", "base64") == "utf-8":
        return PutFile(path, content.encode())
    try:
        return PutFile(path, base64.b64decode(content, validate=True))
    except binascii.Error:
        raise Invalid(f"The content of {path} is not valid base64.") from None


def _put_large(value: Body) -> PutLarge:
    path = EntryPath.parse(value.text("path"))
    if value.text("algo", "sha256") != "sha256":
        raise Invalid(f'{path}: "algo" must be sha256.')
    return PutLarge(path, digest_of(value.text("oid")), value.integer("size"))


def _delete_folder(value: Body) -> DeleteFolder:
    return DeleteFolder(EntryPath.parse(value.text("path").rstrip("/")))


_OPERATIONS: dict[str, Callable[[Body], Operation]] = {
    "file": _put_file,
    "lfsFile": _put_large,
    "copyFile": lambda value: CopyFile(
        EntryPath.parse(value.text("path")), EntryPath.parse(value.text("srcPath"))
    ),
    "deletedFile": lambda value: DeleteFile(EntryPath.parse(value.text("path"))),
    "deletedFolder": _delete_folder,
}


def digest_of(text: str) -> bytes:
    """Read a SHA-256 in hexadecimal digits.

    Raises:
        Invalid: it is something else.
    """
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32 or len(text) != 64:  # noqa: PLR2004 - SHA-256 has 32 bytes
        raise Invalid(f"{text[:80]!r} is not a SHA-256 in hexadecimal digits.")
    return digest


class Log(OfRepo, WireView):
    """GET /api/{kind}s/{name}/commits/{revision}: newest first."""

    authz = {"get": Action.REPO_SEE}

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        start = self.resolve()
        if cursor := request.GET.get("cursor"):
            start = history.resolve(self.repo, revision_named(cursor))
        limit = limit_of(request, default=COMMITS_A_PAGE, most=1000)
        found = history.log(self.repo.pk, start, limit + 1)
        formatted = "formatted" in request.GET.getlist("expand[]")
        shown = [_commit_json(commit, formatted=formatted) for commit in found[:limit]]
        response = JsonAnswer(shown)
        response["X-Total-Count"] = str(history.count(self.repo.pk, self.resolve()))
        if len(found) > limit:
            with_next(response, request, cursor=found[limit].oid.hex())
        return response


def _commit_json(commit: CommitRow, *, formatted: bool) -> dict[str, object]:
    row: dict[str, object] = {
        "id": commit.oid.hex(),
        "title": commit.title,
        "message": commit.message,
        "authors": [{"user": commit.author, "avatar": ""}],
        "date": iso(commit.created_at),
    }
    if formatted:
        row["formatted"] = {"title": escape(commit.title), "message": escape(commit.message)}
    return row


class Compare(OfRepo, WireView):
    """GET /api/{kind}s/{name}/compare/{a}..{b}: unified diff as text."""

    authz = {"get": Action.REPO_READ}

    def get(self, _request: HttpRequest, span: str, **_: object) -> HttpResponse:
        one, dots, other = span.partition("...") if "..." in span else span.partition("..")
        if not dots:
            raise Invalid("Compare two revisions as a..b.")
        before = history.resolve(self.repo, revision_named(one))
        after = history.resolve(self.repo, revision_named(other))
        text = diffs.unified(self.repo, before.tree, after.tree)
        return HttpResponse(text, content_type="text/plain; charset=utf-8")
