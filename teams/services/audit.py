"""record: one entry of the audit log, in the caller's transaction.

Writing takes no lock: an entry gets its place in the chain of its namespace a few seconds later,
from the one job that seals (:mod:`teams.services.audit_sealing`). So pushes and requests of one
organisation never wait for each other's log lines. Until then its MAC protects it from change, and
makes entries that anybody else put there known.
"""

import re
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from teams.models import AuditEntry, Namespace, User, sql
from teams.models.audit import INSTANCE
from teams.models.audit_proof import canonical, mac_of

_ACTION = re.compile(r"[a-z_]+(\.[a-z0-9_]+)+")
_LONGEST_TEXT = 1000

_COLUMNS = (
    "chain", "uuid", "created_at", "action", "actor_id", "actor_name", "auth", "token_id",
    "address", "agent", "request_id", "target_kind", "target_id", "target_name",
)  # fmt: skip
_INSERT = f"""
INSERT INTO teams_auditentry ({", ".join(_COLUMNS)}, details, mac)
VALUES ({"%s, " * len(_COLUMNS)}%s::jsonb, %s)
"""


@dataclass(slots=True)
class Circumstances:
    """How the request came that is being answered; empty in workers and on the command line."""

    address: str = ""
    agent: str = ""
    request_id: str = ""
    auth: str = "system"
    token_id: int | None = None


_circumstances: ContextVar[Circumstances | None] = ContextVar("circumstances", default=None)


@dataclass(frozen=True, slots=True)
class Target:
    """What something was done to: its kind in the product's words, its id and its present name."""

    kind: str
    name: str
    id: int | None = None


NOTHING = Target(kind="", name="")


def begin_request(*, address: str, agent: str, request_id: str) -> None:
    """Note where the request comes from that this thread answers from now on."""
    _circumstances.set(Circumstances(address[:45], _clean(agent)[:200], request_id))


def end_request() -> None:
    """Forget the request: what this thread does next is the hub's own doing."""
    _circumstances.set(None)


def came_by(auth: str, token_id: int | None = None) -> None:
    """Note by which credential the caller of the present request is known."""
    now = circumstances()
    now.auth, now.token_id = auth, token_id


def circumstances() -> Circumstances:
    """Answer how the present request came; a value of its own where there is none."""
    return _circumstances.get() or Circumstances()


def record(
    action: str,
    *,
    by: User | None,
    namespace: Namespace | int | None,
    target: Target = NOTHING,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down, in the caller's transaction, that ``by`` did something.

    ``action`` reads ``scope.what`` (docs/audit.md lists them). ``namespace`` is the one whose
    admins may read it: an organisation's or a user's, as row or id; None is the instance itself.
    ``details`` hold JSON values and never a secret; a change reads ``{"role": {"old": …, "new":
    …}}``.
    ``by`` is None where the hub acts by itself.
    """
    if not _ACTION.fullmatch(action):
        raise ValueError(f"{action!r} does not read scope.what")
    entry = _entry(action, by, _chain(namespace), target, _plain(details or {}))
    values = [getattr(entry, column) for column in _COLUMNS]
    sql.send(_INSERT, [*values, orjson.dumps(entry.details).decode(), mac_of(canonical(entry))])


@transaction.atomic
def want_reads(*, namespace: Namespace, wanted: bool, by: User | None) -> None:
    """Say whether reading the namespace's private repos goes into its log."""
    old, namespace.audits_reads = namespace.audits_reads, wanted
    namespace.save(update_fields=["audits_reads"])
    change = {"reads_of_private_repos": {"old": old, "new": wanted}}
    record("audit.settings", by=by, namespace=namespace, details=change)


def _chain(namespace: Namespace | int | None) -> int:
    if namespace is None:
        return INSTANCE
    return namespace.pk if isinstance(namespace, Namespace) else namespace


def _entry(
    action: str, by: User | None, chain: int, target: Target, details: dict[str, Any]
) -> AuditEntry:
    now = circumstances()
    return AuditEntry(
        chain=chain,
        uuid=uuid.uuid4(),
        created_at=timezone.now(),
        action=action,
        actor_id=by.namespace_id if by else None,
        actor_name=by.name if by else "",
        auth=now.auth,
        token_id=now.token_id,
        address=now.address,
        agent=now.agent,
        request_id=now.request_id,
        target_kind=target.kind,
        target_id=target.id,
        target_name=_clean(target.name)[:300],
        details=details,
    )


def _plain(value: Any) -> Any:
    """Answer ``value`` as JSON that the database gives back as it was."""
    if isinstance(value, Mapping):
        return {_clean(str(key))[:100]: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if (
        value is None
        or isinstance(value, bool)
        or (isinstance(value, int) and abs(value) < 1 << 53)
    ):
        return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return _clean(str(value))[:_LONGEST_TEXT]


def _clean(text: str) -> str:
    """No column holds NUL, and halves of surrogate pairs are no text."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
