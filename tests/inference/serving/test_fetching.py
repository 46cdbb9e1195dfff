"""A model is fetched once, for all who wait for it, and by whoever still waits."""

import threading

import pytest

from inference.errors import ModelNotServed, StillFetching, WorkerFailed
from inference.protocols.families import Family
from inference.runtimes.ports import ModelRef
from inference.serving.fetching import Fetches
from tests.live import wait_until

REF = ModelRef("a", "0" * 40, Family.ECHO)


class Hub:
    """Gives a model when it is let."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.tokens: list[str] = []
        self.may_end = threading.Event()
        self.problem = problem

    def fetch(self, _ref: ModelRef, token: str) -> None:
        self.tokens.append(token)
        assert self.may_end.wait(30)
        if self.problem is not None:
            raise self.problem


def test_a_fetch_goes_on_without_who_began_it_and_serves_who_comes_next() -> None:
    hub = Hub()
    fetches = Fetches(hub.fetch)
    for token in ("first", "second", "third"):
        with pytest.raises(StillFetching):
            fetches.wait(REF, token, 0)
    wait_until(lambda: bool(hub.tokens), 30, "the fetch")

    assert hub.tokens == ["first"]
    hub.may_end.set()
    fetches.wait(REF, "last", 30)


@pytest.mark.parametrize(
    ("problem", "heard"), [(ModelNotServed("no"), ModelNotServed), (KeyError("x"), WorkerFailed)]
)
def test_all_hear_why_it_failed_and_the_next_one_tries_anew(
    problem: Exception, heard: type[Exception]
) -> None:
    hub = Hub(problem)
    hub.may_end.set()
    fetches = Fetches(hub.fetch)

    for _ in range(2):
        with pytest.raises(heard):
            fetches.wait(REF, "t", 30)

    assert hub.tokens == ["t", "t"]
