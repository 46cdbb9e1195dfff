"""Pictures that are kept for somebody are bounded in number and in bytes, and so are their jobs."""

import pytest

from inference.models import Output
from inference.protocols.families import Family, Offer
from inference.protocols.tasks import Task, call_of
from inference.queries.served import Served
from inference.runtimes.ports import ModelRef, Picture
from inference.services import generations
from teams.errors import TooMany
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db


def kept(cast: Cast) -> list[int]:
    return [len(one.png) for one in Output.objects.filter(by=cast.ada).order_by("pk")]


def test_the_oldest_of_too_many_bytes_go(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generations, "KEPT_BYTES", 5000)
    repo = cast.repo()
    generations.keep(Picture(bytes(9000), {}), repo=repo, by=cast.ben)

    for size in (4000, 3000, 2000, 1000):
        generations.keep(Picture(bytes(size), {}), repo=repo, by=cast.ada)

    assert kept(cast) == [2000, 1000]
    generations.keep(Picture(bytes(9000), {}), repo=repo, by=cast.ada)
    assert kept(cast) == [9000]
    assert Output.objects.filter(by=cast.ben).count() == 1


def test_the_oldest_of_too_many_go(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generations, "KEPT", 2)
    repo = cast.repo()

    for size in (1, 2, 3):
        generations.keep(Picture(bytes(size), {}), repo=repo, by=cast.ada)

    assert kept(cast) == [2, 3]


def test_nobody_asks_for_more_than_is_worked_off(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "MOST_WAITING", 2)
    tasks = (Task.TEXT_TO_IMAGE,)
    ref = ModelRef("ada/tiny", "0" * 40, Family.ECHO)
    model = Served(cast.repo(), ref, Offer(Family.ECHO, tasks[0], tasks))
    call = call_of(tasks[0], {"prompt": "a"})

    for user in (cast.ada, cast.ada, cast.ben):
        generations.request(model=model, call=call, count=1, by=signed_in(user))

    with pytest.raises(TooMany):
        generations.request(model=model, call=call, count=1, by=signed_in(cast.ada))
