"""The audit log: what is written can't be changed, and what somebody changed anyway is found."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from teams.models import AuditChain, AuditEntry, Namespace, sql
from teams.models.audit import INSTANCE
from teams.models.audit_proof import canonical, link
from teams.queries.audit_faults import audit_faults
from teams.services import audit, audit_sealing
from teams.services.audit import Target, record
from tests.cast import Cast


def faults() -> list[str]:
    return [str(fault) for fault in audit_faults(now=timezone.now())]


@pytest.fixture
def acme(cast: Cast) -> Namespace:
    """An organisation whose chain has five sealed entries of its own."""
    namespace = cast.acme.namespace
    audit_sealing.seal()
    for number in range(5):
        record("org.settings", by=cast.ada, namespace=namespace, details={"number": number})
    audit_sealing.seal()
    assert faults() == []
    return namespace


def last(namespace: Namespace) -> AuditEntry:
    return AuditEntry.objects.filter(chain=namespace.pk).latest("seq")


def by_force(statement: str, *values: object) -> None:
    """As somebody who owns the database can, past the trigger."""
    sql.run("ALTER TABLE teams_auditentry DISABLE TRIGGER audit_is_append_only")
    assert sql.run(statement, values) > 0
    sql.run("ALTER TABLE teams_auditentry ENABLE TRIGGER audit_is_append_only")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE teams_auditentry SET actor_name = 'nobody'",
        "UPDATE teams_auditentry SET hash = ''",
        "UPDATE teams_auditentry SET seq = NULL, hash = NULL",
        "DELETE FROM teams_auditentry",
    ],
)
def test_the_database_refuses_to_change_an_entry(acme: Namespace, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql.run(statement)

    assert faults() == []


def test_a_waiting_entry_may_be_sealed_and_not_changed(cast: Cast) -> None:
    record("org.settings", by=cast.ada, namespace=cast.acme.namespace)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql.run("UPDATE teams_auditentry SET seq = 99, hash = '\\x00', action = 'a.b'")


@pytest.mark.parametrize(
    "column",
    [
        "created_at = created_at + interval '1 microsecond'",
        "action = 'org.delete'",
        "actor_id = 1 + coalesce(actor_id, 0)",
        "actor_name = 'nobody'",
        "auth = 'token'",
        "token_id = 7",
        "address = '192.0.2.1'",
        "agent = 'x'",
        "request_id = 'x'",
        "target_kind = 'x'",
        "target_id = 3",
        "target_name = 'x'",
        "details = '{\"number\": 17}'",
        "mac = '\\x00'",
        "hash = '\\x00'",
        "uuid = gen_random_uuid()",
    ],
)
@pytest.mark.parametrize("position", [1, 3, 5])
def test_flipping_any_column_of_any_entry_is_found(
    acme: Namespace, column: str, position: int
) -> None:
    entry = AuditEntry.objects.filter(chain=acme.pk).order_by("-seq")[5 - position]

    by_force(f"UPDATE teams_auditentry SET {column} WHERE id = %s", entry.pk)

    assert any(f"at {entry.seq}:" in fault for fault in faults())


@pytest.mark.parametrize("position", [1, 3, 5])
def test_deleting_any_entry_is_found_also_the_newest(acme: Namespace, position: int) -> None:
    entry = AuditEntry.objects.filter(chain=acme.pk).order_by("-seq")[5 - position]

    by_force("DELETE FROM teams_auditentry WHERE id = %s", entry.pk)

    assert faults()


def test_deleting_all_entries_and_the_head_is_found(acme: Namespace) -> None:
    by_force("DELETE FROM teams_auditentry WHERE chain = %s", acme.pk)
    AuditChain.objects.filter(chain=acme.pk).delete()

    assert faults() == [f"chain {acme.pk}: the whole chain is gone"]


def test_an_older_copy_of_a_chain_is_found_by_its_anchor(cast: Cast, acme: Namespace) -> None:
    older = AuditChain.objects.get(chain=acme.pk)
    record("org.delete", by=cast.ada, namespace=acme)
    audit_sealing.seal()
    audit_sealing.anchor()
    audit_sealing.seal()
    assert faults() == []

    by_force("DELETE FROM teams_auditentry WHERE id = %s", last(acme).pk)
    older.save()

    assert any("it once reached" in fault for fault in faults())


def test_an_inserted_entry_is_found_with_a_hash_that_fits(acme: Namespace) -> None:
    forged = last(acme)
    head = AuditChain.objects.get(chain=acme.pk)
    forged.pk, forged.seq = None, head.seq + 1
    forged.action = "org.add_member"
    forged.hash = link(bytes(head.hash), forged.seq, bytes(forged.mac), canonical(forged))
    forged.save(force_insert=True)
    AuditChain.objects.filter(chain=acme.pk).update(seq=forged.seq, hash=forged.hash)

    found = faults()

    assert any("not written by us" in fault for fault in found)
    assert any("not signed" in fault for fault in found)


def test_an_entry_that_waits_and_was_not_written_by_us_is_found(acme: Namespace) -> None:
    forged = last(acme)
    forged.pk, forged.seq, forged.hash, forged.action = None, None, None, "org.add_member"
    forged.save(force_insert=True)
    assert any("not written by us" in fault for fault in faults())

    audit_sealing.seal()

    assert any("not written by us" in fault for fault in faults())


def test_exchanging_two_entries_is_found(acme: Namespace) -> None:
    newest = last(acme)

    by_force(
        "UPDATE teams_auditentry SET seq = 1000000 - seq WHERE chain = %s AND seq >= %s",
        acme.pk,
        (newest.seq or 0) - 1,
    )

    assert faults()


def test_an_entry_that_nobody_seals_is_found(cast: Cast) -> None:
    record("org.settings", by=cast.ada, namespace=cast.acme.namespace)

    later = timezone.now() + timedelta(hours=1)

    assert any("still waits" in str(fault) for fault in audit_faults(now=later))


def test_what_is_rolled_back_leaves_no_entry(cast: Cast) -> None:
    before = AuditEntry.objects.count()

    with transaction.atomic():
        record("org.delete", by=cast.ada, namespace=cast.acme.namespace)
        transaction.set_rollback(True)

    assert AuditEntry.objects.count() == before


def test_retention_removes_the_oldest_and_the_rest_still_verifies(acme: Namespace) -> None:
    now = timezone.now()
    entries = AuditEntry.objects.filter(chain=acme.pk).count()
    assert audit_sealing.prune(days=0, now=now + timedelta(days=9)) == []

    pruned = {done.chain: done for done in audit_sealing.prune(days=5, now=now + timedelta(days=9))}
    audit_sealing.seal()

    assert pruned[acme.pk].count == entries
    assert faults() == []
    kept = AuditEntry.objects.filter(chain=acme.pk)
    assert [entry.action for entry in kept] == ["audit.prune"]


def test_an_entry_says_how_its_actor_came(cast: Cast) -> None:
    audit.begin_request(address="192.0.2.7", agent="hf\0/2", request_id="r-12345678")
    audit.came_by("token", 12)
    try:
        record(
            "repo.delete",
            by=cast.ada,
            namespace=cast.ada.namespace,
            target=Target("model", "ada/tiny", 5),
            details={"odd": "\0\ud800", "ratio": 0.5, "big": 1 << 70, "on": True, "none": None},
        )
    finally:
        audit.end_request()
    audit_sealing.seal()

    entry = AuditEntry.objects.get(action="repo.delete")

    assert (entry.address, entry.agent, entry.request_id) == (
        "192.0.2.7",
        "hf\ufffd/2",
        "r-12345678",
    )
    assert (entry.auth, entry.token_id, entry.actor_name) == ("token", 12, "ada")
    assert entry.details["ratio"] == "0.5"
    assert faults() == []


def test_the_instance_has_a_chain_of_its_own(cast: Cast) -> None:
    record("settings.change", by=cast.root, namespace=None)
    audit_sealing.seal()

    assert AuditEntry.objects.latest("id").chain == INSTANCE
    assert faults() == []
