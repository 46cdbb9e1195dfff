"""Give audit entries their place: seal, anchor and prune chains.

The order of a chain is kept by the lock of its row in AuditChain, which only this file takes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from teams.models import AuditChain, AuditEntry, sql
from teams.models.audit import INSTANCE
from teams.models.audit_proof import GENESIS, canonical, link, signature_of
from teams.services.audit import Target, record

log = structlog.get_logger(__name__)

_AT_ONCE = 5000
_ANCHORS_PER_ENTRY = 200

_WAITING = "SELECT DISTINCT chain FROM teams_auditentry WHERE seq IS NULL ORDER BY chain"
_SEAL = """
UPDATE teams_auditentry e SET seq = s.seq, hash = s.hash
FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[]) AS s (id, seq, hash) WHERE e.id = s.id
"""
_OLD = """
SELECT seq, hash FROM teams_auditentry
WHERE chain = %(chain)s AND seq <= coalesce(
    (SELECT min(seq) - 1 FROM teams_auditentry
     WHERE chain = %(chain)s AND created_at >= %(limit)s AND seq IS NOT NULL), %(head)s)
ORDER BY seq DESC LIMIT 1
"""


def seal() -> int:
    """Put all waiting entries into their chains; answer how many were."""
    sealed = 0
    # The instance's own chain comes last: sealing others may add to it.
    for chain in [chain for (chain,) in sql.rows(_WAITING) if chain != INSTANCE] + [INSTANCE]:
        while done := _seal_some(chain):
            sealed += done
    return sealed


@transaction.atomic
def _seal_some(chain: int) -> int:
    head = _locked_head(chain)
    if head is None:
        return 0
    waiting = list(AuditEntry.objects.filter(chain=chain, seq=None).order_by("id")[:_AT_ONCE])
    if not waiting:
        return 0
    hashes, before, first = [], bytes(head.hash), head.seq + 1
    for seq, entry in enumerate(waiting, first):
        before = link(before, seq, bytes(entry.mac), canonical(entry))
        hashes.append(before)
    seqs = list(range(first, first + len(waiting)))
    sql.run(_SEAL, [[entry.pk for entry in waiting], seqs, hashes])
    head.seq, head.hash, head.sealed_at = seqs[-1], before, timezone.now()
    _sign(head)
    return len(waiting)


def _locked_head(chain: int) -> AuditChain | None:
    """Answer a chain's row, locked; None while somebody else seals it."""
    if not AuditChain.objects.filter(chain=chain).exists():
        _begin(chain)
    return AuditChain.objects.select_for_update(skip_locked=True).filter(chain=chain).first()


def _begin(chain: int) -> None:
    head = AuditChain(chain=chain, hash=GENESIS, pruned_hash=GENESIS)
    head.signature = signature_of(head)
    begun = sql.run(
        "INSERT INTO teams_auditchain (chain, seq, hash, pruned_seq, pruned_hash, signature,"
        " anchored_seq) VALUES (%s, 0, %s, 0, %s, %s, 0) ON CONFLICT DO NOTHING",
        [chain, GENESIS, GENESIS, head.signature],
    )
    if begun and chain != INSTANCE:
        # So that a chain can't vanish as a whole.
        record("audit.begin", by=None, namespace=None, details={"chain": chain})


def _sign(head: AuditChain) -> None:
    head.signature = signature_of(head)
    head.save()


def anchor() -> int:
    """Note in the instance's chain, and in the log, how far each other chain has come.

    An older copy of a chain with its head, put back in place, is found by this. Answers how many
    chains had moved.
    """
    with transaction.atomic():
        moved = [
            head
            for head in AuditChain.objects.select_for_update(skip_locked=True).order_by("chain")
            if head.seq > head.anchored_seq
        ]
        others = [head for head in moved if head.chain != INSTANCE]
        for start in range(0, len(others), _ANCHORS_PER_ENTRY):
            some = others[start : start + _ANCHORS_PER_ENTRY]
            heads = {str(head.chain): [head.seq, bytes(head.hash).hex()] for head in some}
            record("audit.anchor", by=None, namespace=None, details={"heads": heads})
        for head in moved:
            AuditChain.objects.filter(chain=head.chain).update(anchored_seq=head.seq)
    for head in moved:
        log.info("audit_head", chain=head.chain, seq=head.seq, hash=bytes(head.hash).hex())
    return len(moved)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What retention removed of one chain."""

    chain: int
    up_to: int
    count: int


def prune(*, days: int, now: datetime) -> list[Pruned]:
    """Remove sealed entries older than ``days``, always from the beginning of a chain.

    The hash of the last one removed stays in the signed head, so the rest still verifies; that it
    happened is an entry itself. With 0 days nothing is ever removed.
    """
    if days <= 0:
        return []
    limit = now - timedelta(days=days)
    chains = AuditChain.objects.order_by("chain").values_list("chain", flat=True)
    return [done for chain in chains if (done := _prune_one(chain, limit))]


@transaction.atomic
def _prune_one(chain: int, limit: datetime) -> Pruned | None:
    head = AuditChain.objects.select_for_update().get(chain=chain)
    last = sql.row(_OLD, {"chain": chain, "limit": limit, "head": head.seq})
    if last is None:
        return None
    sql.run("SET LOCAL weighhouse.audit_prune = 'on'")
    count = sql.run("DELETE FROM teams_auditentry WHERE chain = %s AND seq <= %s", [chain, last[0]])
    sql.run("SET LOCAL weighhouse.audit_prune = 'off'")
    head.pruned_seq, head.pruned_hash = last
    _sign(head)
    told = {"up_to": last[0], "entries": count, "older_than": limit.isoformat()}
    where = None if chain == INSTANCE else chain
    record("audit.prune", by=None, namespace=where, target=Target("audit log", ""), details=told)
    return Pruned(chain, last[0], count)
