"""What proves the audit log: a MAC for each entry, a hash that chains it, a signed head.

The MAC (HMAC-SHA-256) is made when the entry is written, the hash when it is sealed:
``SHA-256(hash before || position, 8 bytes || MAC || canonical bytes)``. Whoever holds the database
but not the key can neither write an entry nor sign a head.
"""

import hashlib
import hmac
from functools import cache

import orjson
from django.conf import settings

from teams.models.audit import AuditChain, AuditEntry

GENESIS = bytes(32)
"""What stands before the first entry of a chain."""


def canonical(entry: AuditEntry) -> bytes:
    """Answer the one spelling of what an entry says: a JSON array with sorted keys inside."""
    values = [
        entry.chain,
        str(entry.uuid),
        entry.created_at.isoformat(timespec="microseconds"),
        entry.action,
        entry.actor_id,
        entry.actor_name,
        entry.auth,
        entry.token_id,
        entry.address,
        entry.agent,
        entry.request_id,
        entry.target_kind,
        entry.target_id,
        entry.target_name,
        entry.details,
    ]
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def mac_of(text: bytes) -> bytes:
    """Answer the MAC of an entry's canonical bytes, with the first key."""
    return hmac.digest(_keys()[0], text, "sha256")


def is_ours(text: bytes, mac: bytes) -> bool:
    """Say whether a MAC was made by one of our keys."""
    return any(hmac.compare_digest(hmac.digest(key, text, "sha256"), mac) for key in _keys())


def link(before: bytes, seq: int, mac: bytes, text: bytes) -> bytes:
    """Answer the hash of the entry at position ``seq``."""
    return hashlib.sha256(before + seq.to_bytes(8, "big") + mac + text).digest()


def signature_of(head: AuditChain) -> bytes:
    """Answer what signs a head, with the first key."""
    return mac_of(_head_text(head))


def is_signed(head: AuditChain) -> bool:
    """Say whether a head was signed by one of our keys."""
    return is_ours(_head_text(head), bytes(head.signature))


def _head_text(head: AuditChain) -> bytes:
    hashes = [bytes(head.hash).hex(), bytes(head.pruned_hash).hex()]
    return orjson.dumps(["head", head.chain, head.seq, head.pruned_seq, *hashes])


@cache
def _keys() -> tuple[bytes, ...]:
    return tuple(
        hashlib.sha256(b"audit log:" + key.encode()).digest() for key in settings.AUDIT_KEYS
    )
