"""The wire once more on a hub whose large files lie in a bucket of Ceph.

Clients send and fetch them there by themselves. ``WIRE_TOPOLOGY=bucket pytest tests/wire`` runs the
whole wire so.
"""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live import LiveServer
from tests.wire import clients
from tests.wire.clients import OURS
from tests.wire.plain import Plain, ask
from tests.wire.record import Proven, Record, recorded
from tests.wire.stories import Facts, Stories
from tests.wire.test_git_fetch import (  # noqa: F401 - they run here too, on this file's fixtures
    ada,
    git2,
    test_git_lfs_brings_the_large_files_of_a_clone,
)
from tests.wire.test_git_push import (  # noqa: F401 - they run here too, on this file's fixtures
    clone,
    git,
    repo,
    test_a_large_file_goes_by_lfs,
)
from tests.wire.topology import MOVED_BYTES
from tests.wire.uploads import LFS, ask_by, batch, target_of, upload

pytestmark = [pytest.mark.wire, pytest.mark.ceph]


@pytest.fixture(scope="module")
def hub(with_bucket: LiveServer) -> LiveServer:
    return with_bucket


@pytest.fixture(scope="module")
def record(hub: LiveServer, proven: Proven) -> Iterator[Record]:
    with recorded(hub.log, proven) as kept:
        yield kept


@pytest.fixture(scope="module")
def stories(hub: LiveServer, record: Record, tmp_path_factory: pytest.TempPathFactory) -> Stories:
    return Stories(hub, record, tmp_path_factory.mktemp("bucket"), label="-bucket")


def test_weights_go_into_the_bucket_and_come_back(moved: Facts) -> None:
    assert (moved["same"], moved["size"], moved["digest"]) == (True, True, True)
    assert (moved["middle"], moved["end"]) == (True, True)
    assert moved["no_second_commit"]


def test_xet_clients_fetch_pieces_from_the_bucket(moved: Facts) -> None:
    asked = [one for one in moved["requests"] if "/reconstructions/" in one]

    assert bool(asked) is moved["offered_by_xet"]
    assert [one for one in moved["requests"] if "/xet/data" in one] == []


def test_half_a_file_is_finished_from_the_bucket(stories: Stories) -> None:
    told = stories.tell(clients.client(OURS), "downloads")

    assert told["resumed"]


@pytest.mark.parametrize("version", [OURS, "0.36.2"])
def test_a_file_in_one_piece_goes_into_the_bucket(
    stories: Stories, plain: Plain, tmp_path: Path, version: str
) -> None:
    name, content = f"ada/one-piece-{version}", random.Random(version).randbytes(2_000_000)
    (tmp_path / "w.bin").write_bytes(content)
    program = "hf" if version == OURS else "huggingface-cli"
    client = clients.client(version)

    stories.command(client, program, "upload", name, str(tmp_path / "w.bin"), "w.bin", xet=False)

    assert plain("GET", f"/{name}/resolve/main/w.bin").body == content


def test_bytes_of_a_download_come_from_the_bucket(plain: Plain, hub: LiveServer) -> None:
    name, content = plain.create("ada/from-the-bucket"), random.Random(1).randbytes(1_000_000)
    large = {"path": "w.bin", "algo": "sha256", "oid": upload(plain, name, content)}
    assert plain.commit(name, ("lfsFile", large)).status == 200
    token = {"Authorization": f"Bearer {hub.token('ada')}"}

    answer = ask(urlsplit(hub.url).netloc, "GET", f"/{name}/resolve/main/w.bin", None, token)

    assert (answer.status, answer.body) == (302, b"")
    assert answer.headers["X-Linked-Size"] == "1000000"
    assert ask_by(answer.headers["Location"], "GET").body == content
    assert not (hub.data / "store").exists()


def test_other_bytes_than_the_announced_are_nobodys(plain: Plain) -> None:
    name, content = plain.create("ada/liar"), random.Random(2).randbytes(10_000)
    oid, size = hashlib.sha256(content).hexdigest(), len(content)
    (told,) = batch(plain, name, {"oid": oid, "size": size}).json["objects"]

    assert ask_by(told["actions"]["upload"]["href"], "PUT", content[1:]).status == 403
    assert ask_by(told["actions"]["upload"]["href"], "PUT", content[::-1]).status == 200
    verify = plain("POST", target_of(told["actions"]["verify"]["href"]), {}, headers=LFS)

    assert verify.status == 422
    pointer = {"path": "w.bin", "algo": "sha256", "oid": oid}
    assert plain.commit(name, ("lfsFile", pointer)).status == 404


def test_the_whole_hub_checks_out(hub: LiveServer, stories: Stories) -> None:
    stories.tell(clients.client(OURS), "transfers", bytes=MOVED_BYTES)

    assert hub.fsck("--deep") == []
