"""HTML: the audit log of one's own namespace, of an organisation, of the instance."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from teams.errors import Unauthenticated
from teams.http.audit import filter_of, number_of
from teams.http.views import PortalView
from teams.models import AuditEntry, Namespace
from teams.models.audit import INSTANCE
from teams.policies import check_can_audit
from teams.queries import organisation_named
from teams.queries.audit import newest_entries
from teams.roles import Action

PAGE = 50
SCOPES = {
    "audit": "The log itself",
    "collection": "Collections",
    "job": "Jobs",
    "org": "Organisation",
    "repo": "Repos",
    "resource_group": "Resource groups",
    "scim": "SCIM",
    "sso": "Single sign-on",
    "team": "Teams",
    "token": "Tokens",
    "user": "Accounts",
    "webhook": "Webhooks",
}
"""What the page offers to filter by; the log takes any action."""


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry as the page lists it."""

    at: datetime
    action: str
    actor: str
    came: str
    target: str
    target_kind: str
    address: str
    details: list[tuple[str, str]]
    seq: int | None

    @classmethod
    def of(cls, entry: AuditEntry) -> "ShownEntry":
        return cls(
            at=entry.created_at,
            action=entry.action,
            actor=entry.actor_name,
            came=f"token {entry.token_id}" if entry.token_id else entry.auth,
            target=entry.target_name,
            target_kind=entry.target_kind,
            address=entry.address,
            details=[(key.replace("_", " "), _text(value)) for key, value in entry.details.items()],
            seq=entry.seq,
        )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict) and set(value) == {"old", "new"}:
        return f"{_text(value['old'])} → {_text(value['new'])}"
    if isinstance(value, dict):
        value = [f"{key} {_text(item)}" for key, item in value.items()]
    if isinstance(value, list):
        value = ", ".join(map(_text, value))
    return "none" if value in {None, ""} else str(value)


@method_decorator(never_cache, name="dispatch")
class AuditLog(PortalView):
    """What the three pages share."""

    authz = {"get": Action.AUDIT_READ}

    def page(self, request: HttpRequest, namespace: Namespace | None) -> HttpResponse:
        check_can_audit(self.principal, namespace)
        wanted, chain = filter_of(request), namespace.pk if namespace else INSTANCE
        before = number_of(request, "before")
        found = newest_entries(chain, wanted, before=before, limit=PAGE + 1)
        entries = found[:PAGE]
        query = {k: v for k, v in request.GET.items() if v and k != "before"}
        older = {**query, "before": str(entries[-1].pk)} if len(found) > PAGE else None
        api = f"namespaces/{namespace.name}/audit-log" if namespace else "audit-log"
        export = {**query, "limit": "5000"}
        context = {
            "owner": namespace.name if namespace else "",
            "entries": [ShownEntry.of(entry) for entry in entries],
            "wanted": {name: request.GET.get(name, "") for name in _FIELDS},
            "scopes": SCOPES,
            "next_url": f"?{urlencode(older)}" if older else "",
            "json_url": f"/api/v1/{api}?{urlencode(export)}",
            "ndjson_url": f"/api/v1/{api}?{urlencode({**export, 'format': 'ndjson'})}",
        }
        return render(request, "teams/audit.html", context)


_FIELDS = ("action", "actor", "target", "since", "until")


class OwnLog(AuditLog):
    """GET /settings/audit."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.principal.user is None:
            raise Unauthenticated
        return self.page(request, self.principal.user.namespace)


class OrganisationLog(AuditLog):
    """GET /orgs/{name}/settings/audit."""

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        return self.page(request, organisation_named(name).namespace)


class InstanceLog(AuditLog):
    """GET /settings/instance/audit."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, None)
