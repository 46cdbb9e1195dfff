"""Publishers who wait for each other: both are served."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import connection

from hub.git.objects import Kind
from hub.git.refs import BRANCHES, RefUpdate
from hub.git.stored import StoredObject, store
from hub.models import Repo, sql
from hub.names import EntryPath, RevisionName
from hub.queries import history
from hub.services import commits
from hub.services.commits import Message, PutFile
from hub.services.publish import Change, Heads, publish
from tests.cast import Cast, signed_in

MAIN = f"{BRANCHES}main"
PATIENCE = 30.0


def in_thread(threads: ThreadPoolExecutor, work: Callable[[], None]) -> Future[None]:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return threads.submit(run)


def await_waiter() -> None:
    """Return once a transaction waits for a row."""
    end = time.monotonic() + PATIENCE
    while not sql.rows("SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"):
        assert time.monotonic() < end, "nobody waits"
        time.sleep(0.01)


def test_who_waits_for_the_lock_with_an_object_and_who_adds_it_behind_the_lock(
    committed: Cast,
) -> None:
    repo = committed.repo()
    by = signed_in(committed.ada)
    head = history.resolve(repo, RevisionName("main")).oid
    shared = store(Kind.TREE, b"40000 empty\0" + bytes(20))
    builds = 0

    def pushed() -> None:
        create(repo, "pushed", head, files=[shared])

    def move_main() -> None:
        commits.commit(
            repo=repo,
            branch=RevisionName("main"),
            operations=[PutFile(EntryPath("a.txt"), b"a")],
            message=Message("a"),
            by=by,
        )

    with ThreadPoolExecutor(1) as threads:

        def build(heads: Heads) -> Change:
            nonlocal builds
            builds += 1
            if builds == 1:
                in_thread(threads, move_main).result(PATIENCE)
            elif builds == 2:
                waiting.append(in_thread(threads, pushed))
                await_waiter()
            update = RefUpdate(f"{BRANCHES}rebuilt", None, heads[MAIN])
            return Change((update,), objects=[shared] if builds > 1 else ())

        waiting: list[Future[None]] = []
        done = publish(repo, refs=[MAIN], build=build)
        for one in waiting:
            one.result(PATIENCE)

    assert waiting
    assert done.change.updates
    refs = dict(sql.rows("SELECT name, oid FROM git_ref WHERE repo_id = %s", [repo.pk]))
    assert refs[f"{BRANCHES}pushed"] == head
    assert refs[f"{BRANCHES}rebuilt"] == refs[MAIN] != head
    found = sql.rows("SELECT 1 FROM git_object WHERE oid = %s", [shared.oid])
    assert len(found) == 1


def create(repo: Repo, branch: str, oid: bytes, *, files: Iterable[StoredObject]) -> None:
    change = Change((RefUpdate(BRANCHES + branch, None, oid),))
    publish(repo, refs=[BRANCHES + branch], build=lambda _heads: change, files=files)
