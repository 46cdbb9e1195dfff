"""A process may die at each named place between socket and commit, and PostgreSQL while it is
there: what was asked for has then happened fully or not at all, and asking again is safe."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from hub.crashpoints import VARIABLE, Point
from tests.faults.checking import Checker
from tests.faults.ledger import Ledger, judge
from tests.faults.stories import PART_BYTES, STORIES, Teller
from tests.live import READY_SECONDS, LiveServer, wait_until
from tests.wire.git_client import Git

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("FAULT_POINT_KILLS", "2"))
"""At each point; twenty-five are what we promise."""
POSTGRES_KILLS = max(1, KILLS // 5)
OF_REQUESTS = [point for point in Point if point.partition(".")[0] in STORIES]
WITH_POSTGRES = OF_REQUESTS if KILLS > 2 else [Point.BLOB_LINKED, Point.PUBLISH_AFTER_REFS]
TRIES = 6
"""How many stories it takes at most until the hub comes to a point twice."""
KILLED = "was sent SIGKILL"
"""What gunicorn says of a worker that is gone."""


@pytest.fixture(scope="module")
def durable() -> Iterator[LiveServer]:
    environ = {
        "WEIGHHOUSE_WEB_WORKERS": "1",
        "WEIGHHOUSE_LFS_MULTIPART_FROM": str(PART_BYTES),
        "WEIGHHOUSE_LFS_PART_BYTES": str(PART_BYTES),
    }
    with LiveServer(environ=environ, durable=True) as live:
        yield live


@pytest.fixture
def teller(durable: LiveServer, ledger: Ledger, tmp_path: Path) -> Iterator[Teller]:
    clone = Git(durable, tmp_path, who="admin").clone(ledger.repo)
    with Checker(durable) as checker:
        yield Teller(ledger, durable, clone, checker)


def tell(teller: Teller, point: Point, number: int) -> None:
    stories = STORIES[point.partition(".")[0]]
    stories[number % len(stories)](teller, f"{point.replace('.', '-')}-{number}")


def test_what_a_dead_process_left_is_whole(durable: LiveServer, teller: Teller) -> None:
    plan = [point for point in OF_REQUESTS for _ in range(KILLS)]
    durable.restart_web(**{VARIABLE: ",".join(f"{point}:2" for point in plan)})
    before = durable.told().count(KILLED)
    number = 0

    for done, point in enumerate(plan, 1):
        last = number + TRIES
        while durable.told().count(KILLED) - before < done:
            assert number < last, f"the hub does not come to {point}"
            tell(teller, point, number)
            number += 1

    print(
        f"\n{len(OF_REQUESTS)} points, {len(plan)} deaths, "
        f"{len(teller.ledger.acked)} commits acknowledged, {len(teller.ledger.unknown)} cut off"
    )
    judge(teller.ledger, durable)


def test_what_a_dead_database_left_is_whole(durable: LiveServer, teller: Teller) -> None:
    plan = [point for point in WITH_POSTGRES for _ in range(POSTGRES_KILLS)]
    durable.restart_web(**{VARIABLE: ",".join(f"{point}:2:stop" for point in plan)})

    kills = number = last = 0
    while kills < len(plan):
        assert number <= last + TRIES, f"the hub does not come to {plan[kills]}"
        telling = Telling(teller, plan[kills], number)
        telling.start()
        number += 1
        while worker := stopped_worker(durable, telling):
            durable.kill_postgres()
            durable.start_postgres()
            worker.send_signal(signal.SIGCONT)
            kills, last = kills + 1, number
        telling.finish()

    print(f"\n{len(WITH_POSTGRES)} points, PostgreSQL killed {len(plan)} times")
    judge(teller.ledger, durable)


class Telling(threading.Thread):
    """A story told in a thread, and how it failed."""

    def __init__(self, teller: Teller, point: Point, number: int) -> None:
        super().__init__()
        self._what = teller, point, number
        self.problem: BaseException | None = None

    def run(self) -> None:
        try:
            tell(*self._what)
        except BaseException as problem:  # noqa: BLE001 - the test raises it in its own thread
            self.problem = problem

    def finish(self) -> None:
        self.join()
        if self.problem is not None:
            raise self.problem


def stopped_worker(live: LiveServer, telling: Telling) -> psutil.Process | None:
    """Wait until a worker stands still, or the story is over."""
    found: list[psutil.Process] = []

    def seen() -> bool:
        found[:] = [one for one in live.web_workers() if one.status() == psutil.STATUS_STOPPED]
        return bool(found) or not telling.is_alive()

    wait_until(seen, READY_SECONDS, "a story has an end")
    return found[0] if found else None
