"""Wire: the large files of a repo: list them, delete them for good, copy them to another repo."""

from django.http import HttpRequest, HttpResponse

from hub.errors import BadName
from hub.http.dates import iso
from hub.http.repo_views import OfRepo, repo_named
from hub.names import RepoKind
from hub.queries.large_files import LargeFileRow, Place, large_files_of, places_of
from hub.queries.repos import repo_for
from hub.services import blobs, purges
from hub.wire.commits import digest_of
from hub.xet.hashing import to_text
from teams.errors import Invalid, TooLarge
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.pagination import limit_of, with_next
from teams.http.views import WireView
from teams.roles import Action

FILES_A_PAGE = 1000
MAX_FILES = 1000


class LargeFiles(OfRepo, WireView):
    """GET /api/{kind}s/{name}/lfs-files: every large file that the repo holds."""

    authz = {"get": Action.REPO_READ}

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        cursor = request.GET.get("cursor", "")
        limit = limit_of(request, default=FILES_A_PAGE, most=FILES_A_PAGE)
        after = digest_of(cursor) if cursor else b""
        rows = large_files_of(self.repo, after=after, limit=limit + 1)
        page = rows[:limit]
        places = places_of(self.repo, [row.sha256 for row in page])
        shown = [_row_json(row, places.get(row.sha256, [])) for row in page]
        response = JsonAnswer(shown)
        if len(rows) > limit:
            with_next(response, request, cursor=page[-1].sha256.hex())
        return response


def _row_json(row: LargeFileRow, places: list[Place]) -> dict[str, object]:
    digest = row.sha256.hex()
    shown: dict[str, object] = {
        "fileOid": digest,
        "filename": places[0].path if places else digest,
        "oid": digest,
        "pushedAt": iso(row.pushed_at),
        "ref": places[0].ref if places else None,
        "size": row.size,
    }
    return shown | ({"xetHash": to_text(row.xet_hash)} if row.xet_hash else {})


class DeleteLargeFiles(OfRepo, WireView):
    """POST /api/{kind}s/{name}/lfs-files/batch: delete large files for good."""

    authz = {"post": Action.REPO_MANAGE}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        deletions = Body.of(request).values.get("deletions")
        if not isinstance(deletions, dict):
            raise Invalid('"deletions" must be an object.')
        texts = Body(deletions).texts("sha")
        if len(texts) > MAX_FILES:
            raise TooLarge(f"Delete at most {MAX_FILES} files at a time.")
        digests = [digest_of(text) for text in texts]
        purges.purge(
            repo=self.repo,
            digests=digests,
            by=self.principal,
            rewrite_history=deletions.get("rewriteHistory") is True,
        )
        return JsonAnswer({"success": True})


class DuplicateLargeFiles(OfRepo, WireView):
    """POST /api/{kind}s/{name}/lfs-files/duplicate: let another repo name the same large files."""

    authz = {"post": Action.REPO_READ}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        body = Body.of(request)
        files = body.objects("files")
        if len(files) > MAX_FILES:
            raise TooLarge(f"Copy at most {MAX_FILES} files at a time.")
        target_body = body.values.get("target")
        if not isinstance(target_body, dict):
            raise Invalid('"target" must be an object.')
        wanted = Body(target_body)
        name = repo_named(wanted.text("name"))
        target = repo_for(self.principal, Action.REPO_WRITE, _kind(wanted), name)
        digests = [digest_of(file.text("sha256")) for file in files]
        lent = blobs.lend(source=self.repo, target=target, digests=digests, by=self.principal.user)
        failed = [
            {"sha256": sha256.hex(), "error": f"{self.repo} has no such file."}
            for sha256 in digests
            if sha256 not in lent
        ]
        return JsonAnswer({"failed": failed})


def _kind(body: Body) -> RepoKind:
    text = body.text("type", RepoKind.MODEL.value)
    try:
        return RepoKind(text)
    except ValueError:
        raise BadName(f"There is no kind of repo called {text!r}.") from None
