import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.ledger import Ledger, Writers, commit_large, commit_small, judge, read_back
from tests.faults.uploading import uploading
from tests.live import LiveServer

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("FAULT_KILLS", "20"))
"""CI has little time; two hundred are what we promise."""
LONGEST_PAUSE_SECONDS = 0.5
WORKS = (commit_small, commit_small, commit_small, commit_large, commit_large, read_back)


def kill_web(live: LiveServer) -> None:
    """Mostly one serving process, now and then all of them with their parent."""
    if random.random() < 0.1:
        live.kill_web()
        live.start_web()
    else:
        live.kill_worker()


def kill_postgres(live: LiveServer) -> None:
    live.kill_postgres()
    live.start_postgres()
    live.wait_ready()


def strike(kills: int, kill: Callable[[LiveServer], None], live: LiveServer) -> float:
    """Kill at random moments, and answer the longest time until the hub served again."""
    longest = 0.0
    for _ in range(kills):
        time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))
        begun = time.monotonic()
        kill(live)
        live.wait_ready()
        longest = max(longest, time.monotonic() - begun)
    return longest


@pytest.mark.parametrize(
    ("kill", "kills"), [(kill_web, KILLS), (kill_postgres, max(3, KILLS // 10))]
)
def test_no_acknowledged_write_is_lost_and_none_is_half_done(
    durable: LiveServer,
    ledger: Ledger,
    tmp_path: Path,
    kill: Callable[[LiveServer], None],
    kills: int,
) -> None:
    with uploading(durable, ledger, tmp_path), Writers(ledger, *WORKS):
        recovery = strike(kills, kill, durable)

    by_xet = len([attempt for attempt in ledger.acked if attempt.title.startswith("xet-")])
    print(
        f"\n{kill.__name__}: {kills} kills, {len(ledger.acked)} commits acknowledged "
        f"({by_xet} by Xet), {len(ledger.unknown)} cut off, longest recovery {recovery:.1f} s"
    )
    assert len(ledger.acked) > kills
    judge(ledger, durable)
