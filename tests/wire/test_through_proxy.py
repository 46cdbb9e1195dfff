"""The wire once more through nginx, with Redis as broker and cache and PostgreSQL over TCP.

Some tests of other files run here against the hub as it is deployed, beside what only a proxy can
get wrong. ``WIRE_TOPOLOGY=proxy pytest tests/wire`` runs all of them so.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live import LiveServer, wait_until
from tests.wire import clients
from tests.wire.clients import OURS
from tests.wire.plain import Plain, file
from tests.wire.record import Proven, Record, recorded
from tests.wire.stories import Facts, Stories
from tests.wire.test_files import (  # noqa: F401 - they run here too, on the fixtures of this file
    get,
    path,
    test_a_head_tells_all_that_a_client_needs,
    test_a_missing_file_names_the_commit,
    test_a_range_behind_the_end_is_unsatisfiable,
    test_a_range_is_cut_out_of_the_file,
    test_a_range_of_another_version_is_the_whole_file,
    test_a_range_that_means_nothing_is_ignored,
    test_a_slash_in_a_revision_is_quoted_or_is_none,
    test_names_are_unquoted_once,
    test_what_the_caller_has_is_not_sent_again,
    there,
)
from tests.wire.topology import MOVED_BYTES
from tests.wire.uploads import upload

pytestmark = [pytest.mark.wire, pytest.mark.proxy]

RECOUNT = "from hub.tasks.counters import recount_downloads; recount_downloads.delay()"


@pytest.fixture(scope="module")
def hub(through_proxy: LiveServer) -> LiveServer:
    return through_proxy


@pytest.fixture(scope="module")
def record(hub: LiveServer, proven: Proven) -> Iterator[Record]:
    with recorded(hub.log, proven) as kept:
        yield kept


@pytest.fixture(scope="module")
def stories(hub: LiveServer, record: Record, tmp_path_factory: pytest.TempPathFactory) -> Stories:
    return Stories(hub, record, tmp_path_factory.mktemp("proxied"), label="-proxied")


def test_weights_go_up_and_come_back_through_the_proxy(moved: Facts) -> None:
    assert (moved["same"], moved["size"], moved["digest"]) == (True, True, True)
    assert (moved["middle"], moved["end"]) == (True, True)
    assert moved["no_second_commit"]


def test_branches_with_slashes_pass_the_proxy(stories: Stories) -> None:
    told = stories.tell(clients.client(OURS), "refs")

    assert (told["on_branch"], told["at_tag"]) == ("on a/b", "one")
    assert told["squashed"] == [3, ["All in one"], True]


def test_lists_and_old_names_lead_to_the_address_of_the_proxy(stories: Stories) -> None:
    told = stories.tell(clients.client(OURS), "repos")

    assert told["old_name"] == [True, "before", True]
    assert told["old_name_listed"]


def test_large_bytes_come_from_the_proxy_and_not_from_the_application(
    plain: Plain, hub: LiveServer
) -> None:
    repo, content, asked = plain.create("ada/accelerated"), b"x" * 1_000_000, "large-by-proxy"
    large = {"path": "w.bin", "algo": "sha256", "oid": upload(plain, repo, content)}
    assert plain.commit(repo, ("lfsFile", large)).status == 200

    answer = plain("GET", f"/{repo}/resolve/main/w.bin", headers={"X-Request-Id": asked})

    assert answer.body == content
    assert "X-Accel-Redirect" not in answer.headers
    assert _logged(hub, asked)["bytes"] < 1000


def _logged(hub: LiveServer, request_id: str) -> dict[str, Any]:
    """The access line of one request; it is written after the answer."""
    wanted = f'"request_id": "{request_id}"'
    wait_until(lambda: wanted in hub.told(), 5, "the line in the log")
    line: dict[str, Any] = json.loads(
        next(line for line in hub.told().splitlines() if wanted in line)
    )
    return line


def test_the_store_is_not_open_to_the_world(plain: Plain, hub: LiveServer) -> None:
    stored = next(one for one in (hub.data / "store").rglob("*") if one.is_file())
    inside = stored.relative_to(hub.data / "store").as_posix()

    for target in (f"/_store/{inside}", f"/_store/../_store/{inside}", f"/%5Fstore/{inside}"):
        assert plain("GET", target, who="").status == 404


def test_what_the_proxy_refuses_is_told_in_json(plain: Plain) -> None:
    nul = plain("GET", "/ada/x/resolve/main/a%00b")
    endless = plain("GET", "/api/models?" + "x" * 40_000)

    assert (nul.status, endless.status) == (400, 414)
    assert nul.json == endless.json == {"error": "This is not a valid request."}


def test_a_task_reaches_the_worker_by_redis(plain: Plain, hub: LiveServer) -> None:
    repo = plain.create("ada/counted")
    plain.commit(repo, file("config.json", "{}"))
    plain("GET", f"/{repo}/resolve/main/config.json", headers={"X-HF-Download-Counter": "1"})

    hub.manage("shell", "-c", RECOUNT)

    wait_until(lambda: plain("GET", f"/api/models/{repo}").json["downloads"] == 1, 30, "a recount")


def test_the_whole_hub_checks_out(hub: LiveServer, stories: Stories) -> None:
    stories.tell(clients.client(OURS), "transfers", bytes=MOVED_BYTES)

    assert hub.fsck() == []
