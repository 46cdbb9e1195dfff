"""whoami and profiles."""

import pytest

from tests.wire.clients import Client
from tests.wire.plain import Plain
from tests.wire.stories import Facts, Stories

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client, plain: Plain) -> Facts:
    assert plain("POST", "/api/users/ada/follow", who="cleo").status == 200
    return stories.tell(client, "identity")


def test_whoami_names_the_user_the_organisations_and_the_role(told: Facts) -> None:
    assert (told["name"], told["orgs"], told["role"]) == ("ada", ["acme"], "write")


def test_a_forged_token_is_told_to_be_invalid(told: Facts) -> None:
    assert told["forged"]["status"] == 401
    assert "nvalid" in told["forged"]["says"]


def test_profiles_are_read_by_name(told: Facts) -> None:
    assert told["organisation"] == ["ada"]
    assert (told["overview"], told["organisation_overview"]) == ("ada", "acme")


def test_ones_own_repos_are_listed(told: Facts) -> None:
    assert told["repos"]


def test_who_follows_whom_is_read_by_name(told: Facts) -> None:
    assert (told["followers"], told["following"], told["counted"]) == (["cleo"], ["ada"], 1)
