from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.faults.ledger import Attempt, Ledger, judge
from tests.live import LiveServer
from tests.wire.plain import Answer, file

pytestmark = pytest.mark.faults

WRITERS = 16
ROUNDS = 10


def at_once(work: Callable[[int], Answer]) -> list[Answer]:
    """Let all writers go in the same moment."""
    barrier = Barrier(WRITERS)

    def run(number: int) -> Answer:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(WRITERS) as threads:
        return list(threads.map(run, range(WRITERS)))


def test_all_commits_of_many_writers_on_one_branch_land(
    durable: LiveServer, ledger: Ledger
) -> None:
    for turn in range(ROUNDS):
        at_once(lambda number, turn=turn: write(ledger, f"{turn}-{number}"))  # type: ignore[misc]

    assert len(ledger.acked) == WRITERS * ROUNDS
    judge(ledger, durable)


def test_of_many_commits_on_one_parent_exactly_one_wins(
    durable: LiveServer, ledger: Ledger
) -> None:
    for turn in range(ROUNDS):
        head = write(ledger, f"before {turn}").json["commitOid"]
        answers = at_once(
            lambda number, turn=turn, head=head: ledger.hub.commit(  # type: ignore[misc]
                ledger.repo, file(f"{turn}/{number}", "x"), parentCommit=head
            )
        )

        assert sorted(answer.status for answer in answers) == [200] + [412] * (WRITERS - 1)
        assert all("X-Error-Message" in a.headers for a in answers if a.status == 412)
    judge(ledger, durable)


def write(ledger: Ledger, title: str) -> Answer:
    answer = ledger.hub.commit(ledger.repo, file(f"{title}.txt", title), summary=title)
    assert answer.status == 200, answer
    ledger.acked.append(Attempt(title, {}, answer.json["commitOid"]))
    return answer
