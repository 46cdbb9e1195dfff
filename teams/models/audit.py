"""AuditEntry: who did what, append-only and chained; AuditChain: up to where each chain is sealed.

A database trigger refuses to change or delete entries; the two columns of the seal may be filled
once. :mod:`teams.models.audit_proof` says what is hashed.
"""

from django.db import models
from django.db.models.functions import Now

INSTANCE = 0
"""The chain of what concerns no namespace; every other chain is a namespace's id."""


class AuditEntry(models.Model):
    """Something that was done. Names stand as they were then, and outlive what they name."""

    chain = models.BigIntegerField()
    uuid = models.UUIDField()
    created_at = models.DateTimeField()
    action = models.CharField(max_length=64)
    actor_id = models.BigIntegerField(null=True)
    """Namespace of the user who did it; None for the hub itself and its command line."""
    actor_name = models.CharField(max_length=96, blank=True)
    auth = models.CharField(max_length=16)
    """How the actor was known: session, token, scim … or ``system``."""
    token_id = models.BigIntegerField(null=True)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    target_kind = models.CharField(max_length=32, blank=True)
    target_id = models.BigIntegerField(null=True)
    target_name = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict)
    mac = models.BinaryField(max_length=32)
    """Made from all of the above with a key that is not in the database."""
    seq = models.BigIntegerField(null=True)
    """Position in its chain, from 1; None until it is sealed."""
    hash = models.BinaryField(max_length=32, null=True)

    class Meta:
        indexes = [
            models.Index(fields=["chain", "-id"], name="audit_of_chain"),
            models.Index(fields=["chain", "action", "-id"], name="audit_by_action"),
            models.Index(fields=["chain", "actor_name", "-id"], name="audit_by_actor"),
            models.Index(fields=["id"], condition=models.Q(seq=None), name="audit_not_sealed"),
        ]
        constraints = [
            models.UniqueConstraint("chain", "seq", name="one_audit_entry_per_position"),
            models.CheckConstraint(
                condition=models.Q(seq=None, hash=None) | models.Q(seq__gt=0, hash__isnull=False),
                name="audit_seal_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_name or self.auth}"


class AuditChain(models.Model):
    """The newest sealed entry of a chain, and the last one that retention removed."""

    chain = models.BigIntegerField(primary_key=True)
    seq = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)
    pruned_seq = models.BigIntegerField(default=0)
    pruned_hash = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField(db_default=Now())
    anchored_seq = models.BigIntegerField(default=0)
    """Up to where the instance's own chain says how far this one had come."""

    def __str__(self) -> str:
        return f"chain {self.chain} up to {self.seq}"
