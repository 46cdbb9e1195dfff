"""Reads of the audit log: a page for people, and an export that misses nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from teams.models import AuditEntry


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries of a chain somebody wants; what is empty narrows nothing."""

    action: str = ""
    """A whole action (``repo.create``), or the scope of many (``repo``)."""
    actor: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None


def newest_entries(
    chain: int, wanted: AuditFilter, *, before: int | None, limit: int
) -> list[AuditEntry]:
    """Entries below the id ``before``, newest first, also those that wait to be sealed."""
    entries = _filtered(AuditEntry.objects.filter(chain=chain), wanted)
    if before is not None:
        entries = entries.filter(id__lt=before)
    return list(entries.order_by("-id")[:limit])


def sealed_entries(
    chain: int, wanted: AuditFilter, *, after: int, limit: int
) -> Sequence[AuditEntry]:
    """Entries behind the position ``after``, in the order of the chain.

    Positions are given once and in order, so whoever goes on from the last one misses nothing.
    """
    sealed = AuditEntry.objects.filter(chain=chain, seq__gt=after)
    return list(_filtered(sealed, wanted).order_by("seq")[:limit])


def _filtered(entries: QuerySet[AuditEntry], wanted: AuditFilter) -> QuerySet[AuditEntry]:
    if "." in wanted.action:
        entries = entries.filter(action=wanted.action)
    elif wanted.action:
        entries = entries.filter(action__startswith=wanted.action + ".")
    if wanted.actor:
        entries = entries.filter(actor_name=wanted.actor)
    if wanted.target:
        entries = entries.filter(target_name=wanted.target)
    if wanted.since is not None:
        entries = entries.filter(created_at__gte=wanted.since)
    if wanted.until is not None:
        entries = entries.filter(created_at__lt=wanted.until)
    return entries
