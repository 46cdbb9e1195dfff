"""Large files that came by LFS become xorbs, and nobody notices but by what it saves."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer, free_port
from tests.wire import clients
from tests.wire.conftest import populated
from tests.wire.plain import Plain
from tests.wire.scenarios.stage import noise
from tests.wire.uploads import upload

pytestmark = pytest.mark.wire

CONTENT = noise("to convert", 9_000_000)
OID = sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def own() -> Iterator[LiveServer]:
    """A hub of our own: what is converted concerns all of its repos."""
    with LiveServer() as server:
        yield populated(server)


def speaker(own: LiveServer, who: str) -> Plain:
    return Plain(own.url, {"": "", "ada": own.token(who)})


@pytest.fixture(scope="module")
def speak(own: LiveServer) -> Plain:
    return speaker(own, "ada")


@pytest.fixture(scope="module")
def cleo(own: LiveServer) -> Plain:
    return speaker(own, "cleo")


@pytest.fixture(scope="module")
def converted(own: LiveServer, speak: Plain, cleo: Plain) -> list[str]:
    """The same file in repos of three namespaces, and a small one; what three runs then told."""
    for who, name in ((speak, "ada/one"), (speak, "acme/two"), (cleo, "cleo/three")):
        put(who, who.create(name, private=True), CONTENT, "w.bin")
    put(speak, "ada/one", b"small weights", "small.bin")
    return [
        own.manage("convert_to_xet"),
        own.manage("convert_to_xet"),
        own.manage("convert_to_xet", "--again"),
    ]


def put(speak: Plain, repo: str, content: bytes, path: str) -> None:
    oid = upload(speak, repo, content)
    value = {"path": path, "algo": "sha256", "oid": oid, "size": len(content)}
    answer = speak.commit(repo, ("lfsFile", value))
    assert answer.status == 200, answer


def entry(speak: Plain, repo: str, path: str) -> Any:
    entries = speak("GET", f"/api/models/{repo}/tree/main").json
    return next(one for one in entries if one["path"] == path)


def test_each_file_is_converted_once(converted: list[str]) -> None:
    assert [told.splitlines()[-1] for told in converted] == [
        "1 files converted",
        "0 files converted",
        "0 files converted",
    ]


@pytest.mark.usefixtures("converted")
@pytest.mark.parametrize("repo", ["ada/one", "acme/two", "cleo/three"])
def test_every_repo_that_held_it_offers_it_by_xet(speak: Plain, cleo: Plain, repo: str) -> None:
    who = cleo if repo.startswith("cleo") else speak
    head = who("HEAD", f"/{repo}/resolve/main/w.bin")
    told = entry(who, repo, "w.bin")

    assert told["xetHash"] == head.headers["X-Xet-Hash"]
    assert told["lfs"]["oid"] == OID
    assert sha256(who("GET", f"/{repo}/resolve/main/w.bin").body).hexdigest() == OID


@pytest.mark.usefixtures("converted")
def test_small_files_stay_as_they_are(speak: Plain) -> None:
    assert "xetHash" not in entry(speak, "ada/one", "small.bin")


@pytest.mark.usefixtures("converted")
def test_a_client_downloads_what_was_converted_by_xet(own: LiveServer, tmp_path: Path) -> None:
    client = clients.client(clients.OURS)
    session = clients.Session(own.url, own.token("ada"), tmp_path)

    done = clients.run(client, session, [client.program("hf"), "download", "ada/one", "w.bin"])

    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip().splitlines()[-1].removeprefix("  path: "))
    assert sha256(path.read_bytes()).hexdigest() == OID
    assert "/v2/reconstructions/" in own.told()


@pytest.mark.usefixtures("converted")
def test_everything_is_whole_after_it(own: LiveServer) -> None:
    assert own.fsck("--deep") == []


@pytest.mark.usefixtures("converted")
def test_the_blob_waits_for_its_collection(own: LiveServer, speak: Plain) -> None:
    blob = own.data / "store" / "lfs" / OID[:2] / OID[2:4] / OID

    assert blob.read_bytes() == CONTENT
    put(speak, "ada/one", CONTENT, "again.bin")
    assert entry(speak, "ada/one", "again.bin")["lfs"]["oid"] == OID


@pytest.mark.usefixtures("converted")
def test_a_worker_token_is_for_nobody_else(own: LiveServer, speak: Plain) -> None:
    """What begins like one is no less checked."""
    given = speak("GET", "/api/models/ada/one/xet-read-token/main").json
    cas = given["casUrl"].removeprefix(own.url)
    for token in ("own.", "own.abc", f"own.{given['accessToken']}"):
        headers = {"Authorization": f"Bearer {token}"}
        assert speak("POST", f"{cas}/v1/shards", b"x", who="", headers=headers).status == 401


def test_a_file_that_cannot_be_sent_stays_as_it_is(
    own: LiveServer, speak: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = noise("other weights", 2_000_000)
    put(speak, speak.create("ada/later"), content, "w.bin")
    with monkeypatch.context() as elsewhere:
        nobody = f"http://127.0.0.1:{free_port()}"
        elsewhere.setitem(own._environ, "WEIGHHOUSE_INTERNAL_URL", nobody)
        told = own.manage("convert_to_xet")
    waits = own.manage("convert_to_xet")
    again = own.manage("convert_to_xet", "--again")

    assert told.splitlines()[-1] == waits.splitlines()[-1] == "0 files converted"
    assert again.splitlines()[-1] == "1 files converted"
    assert speak("GET", "/ada/later/resolve/main/w.bin").body == content
