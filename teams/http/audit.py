"""The audit log as doors show it: whose it is, which entries are wanted, how one is written."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from teams.errors import Invalid
from teams.models import AuditEntry
from teams.queries.audit import AuditFilter

_LONGEST = 300
_MOST_DIGITS = 18


def filter_of(request: HttpRequest) -> AuditFilter:
    """Read ``action``, ``actor``, ``target``, ``since`` and ``until`` of the query.

    Raises:
        Invalid: one of them cannot be.
    """
    return AuditFilter(
        action=_text(request, "action"),
        actor=_text(request, "actor"),
        target=_text(request, "target"),
        since=_moment(request, "since"),
        until=_moment(request, "until"),
    )


def written(entry: AuditEntry) -> dict[str, Any]:
    """Answer an entry as JSON tells it."""
    actor = {"name": entry.actor_name, "auth": entry.auth, "token_id": entry.token_id}
    target = {"type": entry.target_kind, "name": entry.target_name, "id": entry.target_id}
    return {
        "id": str(entry.uuid),
        "seq": entry.seq,
        "created_at": entry.created_at.isoformat().replace("+00:00", "Z"),
        "action": entry.action,
        "actor": actor if entry.actor_name else {"name": None, "auth": entry.auth},
        "target": target if entry.target_kind else None,
        "details": entry.details,
        "ip": entry.address or None,
        "user_agent": entry.agent or None,
        "request_id": entry.request_id or None,
        "hash": bytes(entry.hash).hex() if entry.hash is not None else None,
    }


def number_of(request: HttpRequest, name: str) -> int | None:
    """Read a position or an id of the query.

    Raises:
        Invalid: it is none.
    """
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Invalid(f"{name} must be a number that a page before this one named.")
    return int(text)


def _text(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").strip()[:_LONGEST]


def _moment(request: HttpRequest, name: str) -> datetime | None:
    text = request.GET.get(name, "").strip()
    if not text:
        return None
    try:
        moment = parse_datetime(text)
        day = parse_date(text) if moment is None else None
    except ValueError:
        moment = day = None
    if day is not None:
        moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - made aware below
    if moment is None:
        raise Invalid(f"{name} must look like 2026-05-31 or 2026-05-31T12:00:00Z.")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
