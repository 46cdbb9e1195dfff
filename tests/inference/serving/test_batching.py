"""Calls share batches, priorities hold, and what goes wrong stays with whom it concerns."""

import threading
import time
import weakref
from collections.abc import Hashable, Iterator, Sequence

import pytest

from inference.errors import InputRejected, OutOfMemory, TooLate, WorkerFailed
from inference.protocols.families import Family
from inference.protocols.tasks import Call, Task
from inference.runtimes.ports import ModelRef, Step
from inference.serving.batching import Batcher
from inference.serving.cache import ModelCache
from inference.serving.tickets import Abandoned, Priority, Ticket


class Held:
    """What a run holds in memory."""


class Counting:
    """A runtime that notes its batches, and does as its calls say."""

    most = 8
    nbytes = 100

    def __init__(self, ref: ModelRef) -> None:
        self.ref = ref
        self.batches: list[list[str]] = []
        self.began = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()
        self.room = 8
        self.unloaded = False
        self.held: list[weakref.ref[Held]] = []
        self.was_held = 0

    def batch_key(self, call: Call) -> Hashable:
        return call.task

    def run(self, calls: Sequence[Call], step: Step) -> Sequence[str]:
        texts = [call["text"] for call in calls]
        self.was_held += sum(one() is not None for one in self.held)
        held = Held()
        self.held.append(weakref.ref(held))
        self.batches.append(texts)
        self.began.set()
        assert self.may_end.wait(10)
        step(1, 1)
        if len(texts) > self.room:
            raise MemoryError
        if "bad" in texts:
            raise InputRejected("bad")
        if "bug" in texts:
            raise ZeroDivisionError
        return [text.upper() for text in texts]

    def unload(self) -> None:
        self.unloaded = True


class House:
    """A cache, its batcher, and the runtimes that were loaded."""

    def __init__(self, budget: int = 250) -> None:
        self.models: dict[str, Counting] = {}
        self.cache = ModelCache(self._load, budget=budget)
        self.batcher = Batcher(self.cache)
        self.batcher.start()

    def _load(self, ref: ModelRef) -> Counting:
        self.models[ref.repo] = Counting(ref)
        return self.models[ref.repo]

    def ask(self, text: str, model: str = "a", **how: object) -> Ticket:
        ref = ModelRef(model, "0" * 40, Family.ECHO)
        call = Call(Task.TEXT_LABELS, {"text": text})
        return self.batcher.submit(Ticket(ref, call, **how))  # type: ignore[arg-type]

    def busy(self, text: str = "first") -> tuple[Ticket, Counting]:
        """Begin a run that does not end before ``may_end``."""
        self.ask("warm up").result()
        model = self.models["a"]
        model.began.clear()
        model.may_end.clear()
        ticket = self.ask(text)
        assert model.began.wait(10)
        return ticket, model


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    for model in made.models.values():
        model.may_end.set()
    made.batcher.stop()


def test_what_came_while_the_device_was_busy_is_one_batch(house: House) -> None:
    first, model = house.busy()
    others = [house.ask(text) for text in "bcd"]
    model.may_end.set()

    assert [ticket.result() for ticket in (first, *others)] == ["FIRST", "B", "C", "D"]
    assert model.batches[1:] == [["first"], ["b", "c", "d"]]


def test_those_who_wait_go_before_jobs(house: House) -> None:
    first, model = house.busy()
    job = house.ask("job", priority=Priority.BATCH)
    person = house.ask("person")
    model.may_end.set()

    assert (first.result(), person.result(), job.result()) == ("FIRST", "PERSON", "JOB")
    assert model.batches[2:] == [["person"], ["job"]]


def test_a_refused_call_does_not_harm_the_rest_of_its_batch(house: House) -> None:
    _first, model = house.busy()
    good, bad = house.ask("good"), house.ask("bad")
    model.may_end.set()

    assert good.result() == "GOOD"
    with pytest.raises(InputRejected):
        bad.result()


def test_a_bug_of_a_model_is_told_and_the_next_call_is_served(house: House) -> None:
    with pytest.raises(WorkerFailed):
        house.ask("bug").result()

    assert house.ask("fine").result() == "FINE"


def test_without_memory_a_batch_is_halved_until_it_fits(house: House) -> None:
    _first, model = house.busy()
    model.room = 1
    tickets = [house.ask(text) for text in "abcd"]
    model.may_end.set()

    assert [ticket.result() for ticket in tickets] == ["A", "B", "C", "D"]


def test_what_failed_holds_no_memory_while_less_is_tried(house: House) -> None:
    _first, model = house.busy()
    model.room = 1
    tickets = [house.ask(text) for text in "abcd"]
    model.may_end.set()
    for ticket in tickets:
        ticket.result()

    assert len(model.batches) > 4
    assert model.was_held == 0


def test_without_memory_for_one_the_other_models_leave_and_then_it_fails(house: House) -> None:
    house.ask("x", "other").result()
    house.ask("x").result()
    house.models["a"].room = 0

    with pytest.raises(OutOfMemory):
        house.ask("y").result()

    assert house.models["other"].unloaded


def test_the_model_that_was_used_least_recently_leaves(house: House) -> None:
    for name in ("a", "b", "a", "c"):
        house.ask("x", name).result()

    assert [ref.repo for ref in house.cache.warm()] == ["a", "c"]
    assert house.models["b"].unloaded


def test_a_model_larger_than_everything_is_refused() -> None:
    house = House(budget=50)

    with pytest.raises(OutOfMemory):
        house.ask("x").result()

    assert house.cache.warm() == []
    house.batcher.stop()


def test_calls_that_nobody_waits_for_are_not_run(house: House) -> None:
    _first, model = house.busy()
    late = house.ask("late", deadline=time.monotonic())
    gone = house.ask("gone")
    gone.give_up()
    model.may_end.set()
    house.ask("next").result()

    assert model.batches[2:] == [["next"]]
    with pytest.raises(TooLate):
        late.result()
    with pytest.raises(Abandoned):
        gone.result()


def test_no_model_is_loaded_for_nobody(house: House) -> None:
    _first, model = house.busy()
    gone = house.ask("gone", "other")
    gone.give_up()
    model.may_end.set()
    house.ask("next").result()

    assert "other" not in house.models
    with pytest.raises(Abandoned):
        gone.result()


def test_a_full_queue_says_so() -> None:
    house = House()
    house.batcher.stop()
    small = Batcher(house.cache, most_waiting=0)

    with pytest.raises(TooLate):
        small.submit(house_ticket())


def house_ticket() -> Ticket:
    ref = ModelRef("a", "0" * 40, Family.ECHO)
    return Ticket(ref, Call(Task.TEXT_LABELS, {"text": "x"}))
