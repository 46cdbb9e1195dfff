"""What is wrong with the audit log: entries changed, removed or put there by somebody else."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from teams.models import AuditChain, AuditEntry
from teams.models.audit import INSTANCE
from teams.models.audit_proof import canonical, is_ours, is_signed, link

SEALED_WITHIN = timedelta(minutes=10)
"""How long an entry may wait for its place in the chain, with workers behind their work."""
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class AuditFault:
    """One broken promise; ``seq`` is the first position that is wrong, 0 for the whole chain."""

    chain: int
    seq: int
    what: str

    def __str__(self) -> str:
        where = f" at {self.seq}" if self.seq else ""
        return f"chain {self.chain}{where}: {self.what}"


def audit_faults(*, now: datetime, chain: int | None = None) -> Iterator[AuditFault]:
    """Read every entry again, of one chain or of all; age is as of ``now``."""
    heads = {head.chain: head for head in AuditChain.objects.all()}
    chains = [chain] if chain is not None else _all_chains(set(heads))
    for one in chains:
        yield from _chain_faults(one, heads.get(one))
        yield from _waiting_faults(one, now)
    yield from _anchor_faults(heads, chain)


def _all_chains(heads: set[int]) -> list[int]:
    with_entries = AuditEntry.objects.exclude(seq=None).values_list("chain", flat=True).distinct()
    waiting = AuditEntry.objects.filter(seq=None).values_list("chain", flat=True).distinct()
    return sorted(heads | set(with_entries) | set(waiting))


def _chain_faults(chain: int, head: AuditChain | None) -> Iterator[AuditFault]:
    sealed = AuditEntry.objects.filter(chain=chain).exclude(seq=None)
    if head is None:
        if first := sealed.aggregate(first=Min("seq"))["first"]:
            yield AuditFault(chain, first, "its head is missing")
        return
    if not is_signed(head):
        yield AuditFault(chain, 0, "its head was not signed by this hub, or with a lost key")
    before, last = bytes(head.pruned_hash), head.pruned_seq
    for entry in sealed.order_by("seq").iterator(_AT_ONCE):
        yield from _link_faults(entry, before, last)
        before, last = bytes(entry.hash or b""), entry.seq or 0
    if last != head.seq:
        yield AuditFault(chain, last + 1, f"it should end at {head.seq}")
    elif before != bytes(head.hash):
        yield AuditFault(chain, last, "its last entry is not the one that was sealed")


def _link_faults(entry: AuditEntry, before: bytes, last: int) -> Iterator[AuditFault]:
    """What is wrong with an entry that stands after the one with hash ``before``."""
    seq, made = entry.seq or 0, canonical(entry)
    yield from _entry_faults(entry, seq)
    if seq != last + 1:
        yield AuditFault(entry.chain, last + 1, f"entries are missing before {seq}")
    elif link(before, seq, bytes(entry.mac), made) != bytes(entry.hash or b""):
        yield AuditFault(entry.chain, seq, "it does not follow from the entry before")


def _entry_faults(entry: AuditEntry, seq: int) -> Iterator[AuditFault]:
    if not is_ours(canonical(entry), bytes(entry.mac)):
        yield AuditFault(entry.chain, seq, f"entry {entry.pk} was changed, or not written by us")


def _waiting_faults(chain: int, now: datetime) -> Iterator[AuditFault]:
    for entry in AuditEntry.objects.filter(chain=chain, seq=None).order_by("id").iterator():
        yield from _entry_faults(entry, 0)
        if entry.created_at < now - SEALED_WITHIN:
            yield AuditFault(chain, 0, f"entry {entry.pk} still waits to be sealed")


def _anchor_faults(heads: dict[int, AuditChain], only: int | None) -> Iterator[AuditFault]:
    """What the instance's chain knows of the others: that they are there, and how far they came."""
    known = {chain: seq for chain, seq in _anchors().items() if only in {None, chain}}
    for chain, seq in sorted(known.items()):
        if chain not in heads:
            yield AuditFault(chain, 0, "the whole chain is gone")
        elif heads[chain].seq < seq:
            yield AuditFault(chain, heads[chain].seq + 1, f"it once reached {seq}")
    if only is None and set(heads) - {INSTANCE} and INSTANCE not in heads:
        yield AuditFault(INSTANCE, 0, "the instance's chain is gone")


def _anchors() -> dict[int, int]:
    known: dict[int, int] = {}
    told = AuditEntry.objects.filter(chain=INSTANCE, action__in=["audit.begin", "audit.anchor"])
    for details in told.values_list("details", flat=True):
        if "chain" in details:
            known.setdefault(details["chain"], 0)
        for chain, (seq, _hash) in details.get("heads", {}).items():
            known[int(chain)] = max(seq, known.get(int(chain), 0))
    return known
