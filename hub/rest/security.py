"""REST: what scanners found in a repo, scanning again, letting files out, and how strict to be."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.http.security_json import file_status
from hub.http.security_query import before_in, key_in
from hub.policies import rules_namespace
from hub.queries.scans import Issue, Policy, issues_of, policy_of, tally_of, withheld
from hub.rest.of_repo import OfRepoRest, sent
from hub.services import releases, scanning
from teams.errors import NotFound
from teams.http.rest import RestView, described
from teams.models import Namespace
from teams.queries import namespace_named
from teams.roles import Action

ISSUES_A_PAGE = 100
_NO_FILE = OpenApiResponse(description="Nothing is known of such a file.")


class SecurityIssue(serializers.Serializer[dict[str, Any]]):
    """A file that is not plainly safe."""

    key = serializers.CharField(help_text="SHA-256 of a large file, git's id of any other.")
    path = serializers.CharField(allow_null=True, help_text="Where a branch has it now.")
    is_withheld = serializers.BooleanField()
    released_by = serializers.CharField(allow_null=True)
    released_at = serializers.DateTimeField(allow_null=True)
    security = serializers.JSONField(help_text="As ``securityFileStatus`` of the wire.")


class SecurityReport(serializers.Serializer[dict[str, Any]]):
    """What scanners found in a repo."""

    policy = serializers.ChoiceField(choices=list(Policy))
    waiting = serializers.IntegerField(help_text="Files without a verdict; counted up to 1,000.")
    issues = SecurityIssue(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="``before`` of the next page.")


class ScanRequest(serializers.Serializer[dict[str, Any]]):
    """Which files to scan again."""

    keys = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=1000, required=False
    )


class ScanAnswer(serializers.Serializer[dict[str, Any]]):
    """How many files wait now that did not before."""

    queued = serializers.IntegerField()


class Release(serializers.Serializer[dict[str, Any]]):
    """Why a file is let out in spite of its verdict."""

    reason = serializers.CharField(max_length=500, default="", allow_blank=True)


class ScanPolicy(serializers.Serializer[dict[str, Any]]):
    """How strict a namespace is; empty is as strict as the hub."""

    policy = serializers.ChoiceField(choices=["", *Policy], allow_blank=True)


class Security(OfRepoRest):
    """GET /api/v1/repos/{kind}s/{name}/security."""

    authz = {"get": Action.REPO_READ}

    @described(
        operation_id="list_security_issues",
        summary="The files of a repo that are not plainly safe",
        parameters=[OpenApiParameter("before", int, description="The ``next`` of a page.")],
        responses={200: SecurityReport},
    )
    def get(self, request: Request, **_: object) -> Response:
        rows = issues_of(
            self.repo,
            before=before_in(request.query_params.get("before", "")),
            limit=ISSUES_A_PAGE + 1,
        )
        page = rows[:ISSUES_A_PAGE]
        told = {
            "policy": policy_of(self.repo),
            "waiting": tally_of(self.repo).waiting,
            "issues": self._issues(page),
            "next": page[-1].id if len(rows) > len(page) else None,
        }
        return Response(SecurityReport(told).data)

    def _issues(self, page: list[Issue]) -> list[dict[str, Any]]:
        names = scanning.names_in(self.repo) if page else {}
        kept = withheld(self.repo, [row.scanned.key for row in page])
        return [
            {
                "key": row.scanned.key.hex(),
                "path": names.get(row.scanned.key),
                "is_withheld": row.scanned.key in kept,
                "released_by": row.scanned.released_by or None,
                "released_at": row.scanned.released_at,
                "security": file_status(row.scanned),
            }
            for row in page
        ]


class Scans(OfRepoRest):
    """POST /api/v1/repos/{kind}s/{name}/security/scans."""

    authz = {"post": Action.REPO_MANAGE}

    @described(
        operation_id="scan_again",
        summary="Scan files of a repo again, or all of them",
        request=ScanRequest,
        responses={202: ScanAnswer},
    )
    def post(self, request: Request, **_: object) -> Response:
        texts = sent(request, ScanRequest).get("keys")
        keys = None if texts is None else [key_in(text) for text in texts]
        count = releases.scan_again(repo=self.repo, by=self.principal, keys=keys)
        return Response(ScanAnswer({"queued": count}).data, status=202)


class Released(OfRepoRest):
    """PUT, DELETE /api/v1/repos/{kind}s/{name}/security/released/{key}."""

    authz = {"put": Action.REPO_MANAGE, "delete": Action.REPO_MANAGE}

    @described(
        operation_id="release_file",
        summary="Serve a file whatever its verdict is",
        request=Release,
        responses={204: None, 404: _NO_FILE},
    )
    def put(self, request: Request, key: str, **_: object) -> Response:
        reason = sent(request, Release)["reason"]
        releases.release(repo=self.repo, key=key_in(key), by=self.principal, reason=reason)
        return Response(status=204)

    @described(
        operation_id="withhold_file",
        summary="Let the verdict decide again",
        responses={204: None, 404: _NO_FILE},
    )
    def delete(self, _request: Request, key: str, **_: object) -> Response:
        releases.withdraw(repo=self.repo, key=key_in(key), by=self.principal)
        return Response(status=204)


class NamespacePolicy(RestView):
    """GET, PUT /api/v1/namespaces/{name}/scan-policy."""

    authz = {"get": Action.SIGN_IN, "put": Action.SIGN_IN_TO_WRITE}

    def _namespace(self, name: str) -> Namespace:
        found = namespace_named(name)
        if not rules_namespace(self.principal, Action.ORG_SEE, found):
            raise NotFound
        return found

    @described(
        operation_id="get_scan_policy",
        summary="What becomes of a namespace's files by what scanners say",
        responses={200: ScanPolicy, 404: OpenApiResponse(description="None of yours.")},
    )
    def get(self, _request: Request, name: str, **_: object) -> Response:
        return Response({"policy": self._namespace(name).scan_policy})

    @described(
        operation_id="set_scan_policy",
        summary="Say what becomes of a namespace's files by what scanners say",
        request=ScanPolicy,
        responses={200: ScanPolicy, 404: OpenApiResponse(description="None of yours.")},
    )
    def put(self, request: Request, name: str, **_: object) -> Response:
        policy = sent(request, ScanPolicy)["policy"]
        releases.set_policy(namespace=self._namespace(name), policy=policy, by=self.principal)
        return Response({"policy": policy})
