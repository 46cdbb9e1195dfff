"""Weights go up and come back the same, by Xet and by LFS, with every release."""

import os

import pytest

from tests.wire import clients
from tests.wire.clients import OLD_XET, Client
from tests.wire.stories import Facts, Stories

pytestmark = pytest.mark.wire

SIZE = 300_000_000 if os.environ.get("WIRE_BIG") else 40_000_000
OLD_SIZE = 5_000_000


@pytest.fixture(params=[True, False], ids=["xet", "no-xet"])
def xet(request: pytest.FixtureRequest) -> bool:
    chosen: bool = request.param
    return chosen


@pytest.fixture
def told(stories: Stories, client: Client, xet: bool) -> Facts:  # noqa: FBT001 - a fixture
    return stories.tell(client, "transfers", xet=xet, bytes=SIZE)


def test_every_file_comes_back_byte_for_byte(told: Facts) -> None:
    assert told["count"] == 52
    assert told["same"]


def test_the_weights_load(told: Facts) -> None:
    assert told["loaded"] == 1000
    assert told["parameters"] == {"I32": SIZE // 4}


def test_a_large_file_is_known_by_size_and_digest(told: Facts) -> None:
    assert (told["size"], told["digest"]) == (True, True)


def test_what_came_by_xet_is_offered_by_xet(told: Facts, xet: bool) -> None:  # noqa: FBT001
    assert told["offered_by_xet"] is xet


def test_ranges_are_read_from_the_middle_and_the_end(told: Facts) -> None:
    assert (told["middle"], told["end"]) == (True, True)


def test_folders_keep_their_names(told: Facts) -> None:
    assert told["tree"] == [f"small/{number} ü" for number in range(5)]


def test_the_same_folder_again_is_no_commit(told: Facts) -> None:
    assert told["no_second_commit"]


@pytest.mark.parametrize("release", OLD_XET)
def test_an_old_hf_xet_uploads_and_downloads(stories: Stories, release: str) -> None:
    client = clients.with_xet(clients.client("0.36.2"), release)

    told = stories.tell(client, "transfers", bytes=OLD_SIZE)

    assert told["same"]
    assert told["offered_by_xet"]
