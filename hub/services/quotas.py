"""How much a namespace may hold, and a clear no before bytes are taken that would be too many.

What is used is not a counter that could be wrong: it is summed up from the rows of what the repos
hold, and only for namespaces that have a quota, so nobody else pays for it. Several uploads at the
same moment may each be told yes, and end a little above.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from hub.models import Repo
from hub.queries.blobs import storage_of
from teams.errors import Forbidden, Invalid
from teams.models import Namespace, User
from teams.services.audit import Target, record


class QuotaReached(Forbidden):
    """The storage of this namespace is full."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a namespace holds and may hold, in bytes; no limit is None."""

    used: int
    limit: int | None


def usage_of(namespace: Namespace) -> Usage:
    """Add up what the repos of a namespace hold: git objects, and each repo's large files."""
    repos = Repo.objects.filter(namespace=namespace).values_list("pk", flat=True)
    return Usage(sum(storage_of(repos).values()), limit_of(namespace))


def limit_of(namespace: Namespace) -> int | None:
    """What it may hold: its own quota, or else the instance's; None for any amount."""
    if namespace.quota_bytes is not None:
        return namespace.quota_bytes
    is_user = namespace.kind == Namespace.Kind.USER
    default: int = settings.QUOTA_USER if is_user else settings.QUOTA_ORGANISATION
    return default or None


def check_room(namespace: Namespace, more: int = 1) -> None:
    """Refuse ``more`` bytes that the namespace has no room for.

    Raises:
        QuotaReached: tells how much is used, how much there may be, and what to do.
    """
    if limit_of(namespace) is None:
        return
    usage = usage_of(namespace)
    if usage.limit is not None and usage.used + more > usage.limit:
        raise QuotaReached(
            f"{namespace.name} holds {_size(usage.used)} of {_size(usage.limit)}, and "
            f"{_size(more)} more would be too much. Delete large files or repos for good, or ask "
            "the operator of this hub for more."
        )


@transaction.atomic
def set_quota(*, namespace: Namespace, limit: int | None, by: User | None) -> None:
    """Let a namespace hold ``limit`` bytes; None is what the instance says.

    Raises:
        Invalid: it is less than nothing.
    """
    if limit is not None and not 0 <= limit < 1 << 62:
        raise Invalid("A quota is a number of bytes.")
    old, namespace.quota_bytes = namespace.quota_bytes, limit
    namespace.save(update_fields=["quota_bytes"])
    record(
        "settings.quota",
        by=by,
        namespace=namespace,
        target=Target("namespace", namespace.name, namespace.pk),
        details={"bytes": {"old": old, "new": limit}},
    )


def _size(count: int) -> str:
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if count >= 10**power:
            return f"{count / 10**power:.1f} {unit}"
    return f"{count} bytes"
