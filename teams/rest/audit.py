"""REST: the audit log, as JSON or one JSON object a line."""

from collections.abc import Iterable
from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from teams.errors import Invalid
from teams.http.audit import filter_of, number_of, written
from teams.http.json_answer import JsonAnswer
from teams.http.pagination import limit_of, with_next
from teams.http.rest import RestView, described
from teams.models import AuditEntry, Namespace
from teams.models.audit import INSTANCE
from teams.policies import check_can_audit
from teams.queries import namespace_named
from teams.queries.audit import sealed_entries
from teams.roles import Action

PAGE = 100
MOST = 5000
NDJSON = "application/x-ndjson"


class EntryPage(serializers.Serializer[dict[str, Any]]):
    """Entries in the order of their chain."""

    results = serializers.ListField(child=serializers.DictField())
    next_cursor = serializers.CharField(allow_null=True, help_text="None at the present end.")


_PARAMETERS = [
    OpenApiParameter("format", str, description="json, or ndjson: one entry a line"),
    OpenApiParameter("cursor", str, description="Position after which to go on; seq of an entry"),
    OpenApiParameter("limit", int, description=f"At most {MOST}; {PAGE} if not given"),
    OpenApiParameter("action", str, description="A whole action, or its scope such as repo"),
    OpenApiParameter("actor", str, description="Name of the user who did it"),
    OpenApiParameter("target", str, description="Name of what it was done to"),
    OpenApiParameter("since", str, description="From this day or moment on"),
    OpenApiParameter("until", str, description="Before this day or moment"),
]


class _Log(RestView):
    """What both logs share."""

    authz = {"get": Action.AUDIT_READ}

    def page(self, namespace: Namespace | None) -> HttpResponse:
        check_can_audit(self.principal, namespace)
        request = self.http_request
        form = request.GET.get("format", "json")
        if form not in {"json", "ndjson"}:
            raise Invalid('format must be "json" or "ndjson".')
        limit = limit_of(request, default=PAGE, most=MOST)
        chain = namespace.pk if namespace else INSTANCE
        after = number_of(request, "cursor") or 0
        entries = sealed_entries(chain, filter_of(request), after=after, limit=limit)
        cursor = str(entries[-1].seq) if len(entries) == limit else None
        answer = _lines(entries) if form == "ndjson" else _list(entries, cursor)
        return with_next(answer, request, cursor=cursor) if cursor else answer


def _lines(entries: Iterable[AuditEntry]) -> HttpResponse:
    return HttpResponse(
        b"".join(orjson.dumps(written(entry)) + b"\n" for entry in entries), content_type=NDJSON
    )


def _list(entries: Iterable[AuditEntry], cursor: str | None) -> HttpResponse:
    return JsonAnswer({"results": [written(entry) for entry in entries], "next_cursor": cursor})


class NamespaceLog(_Log):
    """GET /api/v1/namespaces/{name}/audit-log."""

    @described(
        operation_id="read_audit_log",
        summary="What was done in a namespace, and by whom; for its admins",
        parameters=_PARAMETERS,
        responses={200: EntryPage},
    )
    def get(self, _request: Request, name: str) -> HttpResponse:
        return self.page(namespace_named(name))


class InstanceLog(_Log):
    """GET /api/v1/audit-log."""

    @described(
        operation_id="read_instance_audit_log",
        summary="What was done to the hub itself; for its administrators",
        parameters=_PARAMETERS,
        responses={200: EntryPage},
    )
    def get(self, _request: Request) -> HttpResponse:
        return self.page(None)
