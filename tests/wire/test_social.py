"""Likes."""

import pytest

from tests.wire.clients import Client
from tests.wire.plain import Plain
from tests.wire.stories import Facts, Stories

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client, plain: Plain) -> Facts:
    repo = plain.create(f"ada/liked-{client.slug}")
    assert plain("POST", f"/api/models/{repo}/like", {}).status == 200
    return stories.tell(client, "social", liked=repo)


def test_a_like_is_told_by_the_repo_and_by_its_user_and_taken_back(told: Facts) -> None:
    assert (told["likers"], told["liked"], told["count"]) == (["ada"], True, 1)
    assert (told["likers_after"], told["liked_after"], told["count_after"]) == ([], False, 0)
