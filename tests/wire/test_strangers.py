"""What a stranger meets: hidden, gated and public repos of somebody else."""

import pytest

from tests.wire.clients import Client
from tests.wire.plain import Plain, file
from tests.wire.stories import Facts, Stories, assert_refused

pytestmark = pytest.mark.wire


@pytest.fixture
def told(stories: Stories, client: Client, plain: Plain) -> Facts:
    names = {name: f"ada/{name}-{client.slug}" for name in ("hidden", "gated", "public")}
    for name, repo in names.items():
        plain.create(repo, visibility="private" if name == "hidden" else "public")
        assert plain.commit(repo, file("a.txt", "a")).status == 200
    plain("PUT", f"/api/models/{names['gated']}/settings", {"gated": "manual"})
    return stories.tell(client, "stranger", who="cleo", repos=names)


def test_a_hidden_repo_is_missing(told: Facts) -> None:
    assert_refused(told["hidden"], "RepositoryNotFoundError", 404)
    assert_refused(told["hidden_info"], "RepositoryNotFoundError", 401)
    assert_refused(told["hidden_check"], "RepositoryNotFoundError", 404)


def test_a_gated_repo_is_seen_but_not_read(told: Facts) -> None:
    assert told["gated_info"] == "manual"
    restricted = "is restricted and you are not in the authorized list"
    assert_refused(told["gated_file"], "GatedRepoError", 403, restricted)
    signed_out = "is restricted. You must have access to it and be authenticated to access it."
    assert_refused(told["gated_file_signed_out"], "GatedRepoError", 401, signed_out)
    assert_refused(told["gated_check"], "GatedRepoError", 403, restricted)


def test_a_public_repo_is_read_but_not_written(told: Facts) -> None:
    assert told["read"] == 200
    assert_refused(told["write"], "HfHubHTTPError", 403)
    assert_refused(told["delete"], "HfHubHTTPError", 403)


def test_nobody_creates_in_the_name_of_another(told: Facts) -> None:
    assert_refused(told["create"], "HfHubHTTPError", 403)
    assert_refused(told["signed_out"], "HfHubHTTPError", 401)
