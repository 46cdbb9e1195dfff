"""Webhook settings, by every release of the client."""

import pytest

from tests.wire.clients import Client
from tests.wire.plain import Plain
from tests.wire.stories import Facts, Stories

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client, plain: Plain) -> Facts:
    repo = plain.create(f"ada/watched-{client.slug}")
    return {"repo": repo} | stories.tell(client, "webhooks", watched=repo)


def test_a_webhook_is_made_changed_switched_and_deleted(told: Facts) -> None:
    made = {
        "url": "https://ci.example.org/hook",
        "watched": [["model", told["repo"]], ["user", "ada"]],
        "domains": ["repo"],
        "secret": "hunter2",
        "disabled": False,
    }
    changed = made | {
        "url": "https://ci.example.org/other",
        "watched": [["model", told["repo"]]],
        "domains": ["discussion"],
    }

    assert told["made"] == told["found"] == made
    assert told["changed"] == changed
    assert (told["is_listed"], told["is_listed_after"]) == (True, False)
    assert (told["off"], told["on"]) == (True, False)
