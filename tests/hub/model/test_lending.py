"""A large file that is lent while its lender lets it go is there, or was not lent."""

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import psycopg
import pytest
from django.db import connection

from hub.models import Blob, Repo, sql
from hub.queries.blobs import held
from hub.queries.store import blob_store
from hub.services import blobs
from tests.cast import Cast, signed_in
from tests.hub.model.test_beside import delete_all, faults

T = TypeVar("T")
CONTENT = b"lent while it is let go"
SHA256 = hashlib.sha256(CONTENT).digest()
_WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
_CLAIM = """
INSERT INTO hub_repoblob (repo_id, blob_id, created_at, touched_at, is_named)
VALUES (%s, %s, now(), now(), false)
"""


@pytest.fixture
def threads(committed: Cast) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def other(committed: Cast) -> Iterator[psycopg.Connection]:
    """A connection beside Django's, in a transaction of its own."""
    with psycopg.connect(**connection.get_connection_params()) as opened:
        yield opened
        opened.rollback()


@pytest.fixture
def lender(committed: Cast) -> Repo:
    repo, store = committed.repo("ada/lender"), blob_store()
    blobs.accept(
        repo=repo,
        store=store,
        staged=store.stage([CONTENT]),
        sha256=SHA256,
        size=len(CONTENT),
        by=committed.ada,
    )
    return repo


@pytest.fixture
def borrower(committed: Cast) -> Repo:
    return committed.repo("ada/borrower")


def in_thread(pool: ThreadPoolExecutor, work: Callable[[], T]) -> "Future[T]":
    def run() -> T:
        try:
            return work()
        finally:
            connection.close()

    return pool.submit(run)


def wait_for(count: int, *, unless: "Future[None] | None" = None) -> None:
    """Wait until so many statements wait for a lock, or ``unless`` is over."""
    end = time.monotonic() + 20
    while (row := sql.row(_WAITING)) and row[0] < count and not (unless and unless.done()):
        assert time.monotonic() < end, "nobody waits"
        time.sleep(0.01)


def adopt(cast: Cast, repo: Repo) -> set[bytes]:
    return blobs.adopt(repo=repo, digests=[SHA256], by=signed_in(cast.ada))


def test_what_is_being_lent_is_not_collected(
    committed: Cast,
    lender: Repo,
    borrower: Repo,
    other: psycopg.Connection,
    threads: ThreadPoolExecutor,
) -> None:
    # Somebody else is just about to write the borrower's row: so the adoption stops half way.
    other.execute(_CLAIM, [borrower.pk, SHA256])
    adopted = in_thread(threads, lambda: adopt(committed, borrower))
    wait_for(1)

    def end_of_the_lender() -> None:
        blobs.let_go(repo=lender)
        delete_all(1)

    gone = in_thread(threads, end_of_the_lender)
    wait_for(2, unless=gone)
    other.rollback()

    assert adopted.result() == {SHA256}
    gone.result()
    assert (held(lender.pk, [SHA256]), list(held(borrower.pk, [SHA256]))) == ({}, [SHA256])
    assert faults() == []


def test_what_is_being_let_go_is_not_lent(
    committed: Cast,
    lender: Repo,
    borrower: Repo,
    other: psycopg.Connection,
    threads: ThreadPoolExecutor,
) -> None:
    other.execute("DELETE FROM hub_repoblob WHERE repo_id = %s", [lender.pk])
    adopted = in_thread(threads, lambda: adopt(committed, borrower))
    wait_for(1)
    other.commit()

    assert adopted.result() == set()
    delete_all(1)
    assert not Blob.objects.exists()
    assert faults() == []
