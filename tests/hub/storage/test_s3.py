"""S3Store on moto, and on the RADOS Gateway of Ceph."""

import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ReadTimeoutError

from hub.errors import BlobNotFound, StoreUnavailable
from hub.storage import s3_claims, s3_copying
from hub.storage.ports import BlobStore
from hub.storage.s3 import S3Store
from hub.storage.s3_access import S3Address
from hub.storage.s3_reading import S3Reader
from hub.storage.s3_writing import PART_BYTES
from teams.errors import OutOfSpace
from tests.hub.storage.storage_contract import (
    KEY,
    MIB,
    BlobStoreContract,
    put,
    read,
    staged_names,
)
from tests.live import free_port
from tests.s3 import RadosGateway, S3Server

HOUR = timedelta(hours=1)
LARGE = bytes(range(256)) * 50_000
"""More than two parts."""
SERVERS = ["moto", pytest.param("ceph", marks=pytest.mark.ceph)]


class TestOnMoto(BlobStoreContract):
    @pytest.fixture
    def store(self, moto: S3Server) -> BlobStore:
        return S3Store(moto.bucket())


@pytest.mark.ceph
class TestOnRadosGateway(BlobStoreContract):
    @pytest.fixture
    def store(self, ceph: RadosGateway) -> BlobStore:
        return S3Store(ceph.server.bucket())


@pytest.fixture(params=SERVERS)
def address(request: pytest.FixtureRequest) -> S3Address:
    found = request.getfixturevalue(request.param)
    server: S3Server = found if isinstance(found, S3Server) else found.server
    return server.bucket()


@pytest.fixture
def store(address: S3Address) -> S3Store:
    return S3Store(address)


@pytest.fixture
def strict(ceph: RadosGateway) -> S3Store:
    """One that looks at signatures."""
    return S3Store(ceph.server.bucket())


def send(
    method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes, dict[str, str]]:
    # Left to itself the library would call the body a form.
    told = {"Content-Type": "application/octet-stream"} if body else {}
    request = urllib.request.Request(url, body, told | dict(headers or {}), method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - links of a test
            return answer.status, answer.read(), _lower(answer.headers)
    except HTTPError as error:
        with error:
            return error.code, error.read(), _lower(error.headers)


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


# Bytes of many parts


def test_bytes_of_many_parts_come_back_whole(store: S3Store) -> None:
    staged = store.stage([LARGE[:7], LARGE[7:PART_BYTES], LARGE[PART_BYTES:]])
    store.publish(staged, KEY)

    assert staged.size == len(LARGE) > 2 * PART_BYTES
    assert read(store, KEY) == LARGE
    assert read(store, KEY, start=PART_BYTES - 1, length=2) == LARGE[PART_BYTES - 1 :][:2]


def test_writer_of_many_parts_that_is_left_leaves_nothing(store: S3Store) -> None:
    with store.open_stage() as writer:
        writer.write(LARGE)

    assert staged_names(store) == []


def test_what_a_killed_writer_left_is_stale_and_can_be_dropped(store: S3Store) -> None:
    writer = store.open_stage(name="upload/1")
    writer.write(LARGE)

    assert staged_names(store) == ["upload/1"]
    assert list(store.stale(datetime.now(UTC) - HOUR)) == []

    store.abandon("upload/1")

    assert staged_names(store) == []


def test_large_bytes_are_copied_in_parts(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_copying, "COPY_PART_BYTES", PART_BYTES)

    assert put(store, LARGE)

    assert read(store, KEY) == LARGE
    assert staged_names(store) == []


# Claims


def test_claim_that_outlived_its_process_is_passed_over(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_claims, "LEASE", timedelta(seconds=1))
    assert store._claims._create(KEY, b"of a process that was killed")

    assert put(store, b"after the crash")

    assert read(store, KEY) == b"after the crash"
    assert staged_names(store) == []


def test_claim_whose_answer_was_lost_is_still_ours(store: S3Store) -> None:
    claims = store._claims

    assert claims._create(KEY, b"ours")
    assert claims._create(KEY, b"ours")
    assert not claims._create(KEY, b"another's")


def test_stores_of_two_processes_settle_who_was_first(address: S3Address) -> None:
    here, there = S3Store(address), S3Store(address)
    one, other = here.stage([b"1"]), there.stage([b"2"])

    assert (here.publish(one, KEY), there.publish(other, KEY)) == (True, False)
    assert read(there, KEY) == b"1"


# The rest of the bucket


def test_store_sees_only_what_is_below_its_prefix(address: S3Address) -> None:
    here, there = S3Store(address), S3Store(replace(address, prefix="other/hub/"))
    put(here, b"here")
    there.stage([b"there"], name="upload/1")

    assert list(there.keys()) == []
    assert there.size(KEY) is None
    assert list(here.keys()) == [KEY]
    assert staged_names(here) == []


def test_nobody_knows_how_much_fits(store: S3Store) -> None:
    assert store.free_bytes() is None


# Links


def test_link_gives_the_bytes_with_name_type_and_ranges(store: S3Store) -> None:
    put(store, b"0123456789")

    url = store.sign_get(
        KEY, lasts=HOUR, disposition='attachment; filename="a.bin"', media_type="image/png"
    )

    status, body, headers = send("GET", str(url), headers={"Range": "bytes=2-4"})
    assert (status, body) == (206, b"234")
    assert headers["content-disposition"] == 'attachment; filename="a.bin"'
    assert headers["content-type"] == "image/png"


def test_link_stages_bytes_that_can_be_withdrawn_and_published(store: S3Store) -> None:
    link = store.sign_put("upload/1", size=5, lasts=HOUR)

    assert link is not None
    assert send("PUT", link.url, b"bytes", link.headers)[0] == 200

    name = store.withdraw("upload/1")
    send("PUT", link.url, b"other", link.headers)
    store.publish(name, KEY)
    assert read(store, KEY) == b"bytes"


def test_parts_by_link_make_one(store: S3Store) -> None:
    sizes = [PART_BYTES, 3]
    linked = store.sign_parts("upload/1", sizes=sizes, lasts=HOUR)

    assert linked is not None
    for url, size in zip(linked.urls, sizes, strict=True):
        status, _, headers = send("PUT", url, b"x" * size)
        assert (status, bool(headers["etag"])) == (200, True)

    store.end_parts("upload/1", linked.upload, parts=2)
    assert send("PUT", linked.urls[1], b"yyy")[0] in {404, 500}
    store.publish("upload/1", KEY)
    assert read(store, KEY) == b"x" * (PART_BYTES + 3)


def test_upload_without_all_its_parts_does_not_end(store: S3Store) -> None:
    linked = store.sign_parts("upload/1", sizes=[PART_BYTES, 3], lasts=HOUR)

    assert linked is not None
    send("PUT", linked.urls[1], b"xyz")

    with pytest.raises(BlobNotFound):
        store.end_parts("upload/1", linked.upload, parts=2)
    store.abandon("upload/1")
    assert staged_names(store) == []


def test_store_that_clients_cannot_reach_gives_no_links(address: S3Address) -> None:
    store = S3Store(address, direct=False)
    put(store, b"x")

    assert store.sign_get(KEY, lasts=HOUR) is None
    assert store.sign_put("upload/1", size=1, lasts=HOUR) is None
    assert store.sign_parts("upload/1", sizes=[1], lasts=HOUR) is None


def test_links_name_the_address_that_clients_know(address: S3Address) -> None:
    store = S3Store(replace(address, public_endpoint="https://bytes.example.org"))

    url = store.sign_get(KEY, lasts=HOUR)

    assert str(url).startswith(f"https://bytes.example.org/{address.bucket}/hub/{KEY}?")


@pytest.mark.ceph
@pytest.mark.parametrize("body", [b"four", b"sixsix"])
def test_link_takes_no_other_number_of_bytes(strict: S3Store, body: bytes) -> None:
    link = strict.sign_put("upload/1", size=5, lasts=HOUR)

    assert link is not None
    assert send("PUT", link.url, body)[0] == 403
    assert staged_names(strict) == []


@pytest.mark.ceph
def test_link_is_for_one_place_one_verb_and_its_time(strict: S3Store) -> None:
    put(strict, b"secret")
    link = strict.sign_put("upload/1", size=5, lasts=HOUR)
    url = str(strict.sign_get(KEY, lasts=HOUR))
    assert link is not None

    assert send("PUT", link.url.replace("upload/1", "upload/2"), b"bytes")[0] == 403
    assert send("GET", link.url)[0] == 403
    assert send("DELETE", url)[0] == 403
    assert send("GET", url.partition("?")[0])[0] == 403
    assert send("GET", str(strict.sign_get(KEY, lasts=timedelta(seconds=-1))))[0] in {400, 403}


@pytest.mark.ceph
def test_link_to_a_span_gives_it_and_nothing_else(strict: S3Store) -> None:
    put(strict, b"0123456789")
    url = str(strict.sign_span(KEY, (2, 5), lasts=HOUR))

    assert send("GET", url, headers={"Range": "bytes=2-4"})[:2] == (206, b"234")
    for other in ({"Range": "bytes=2-5"}, {"Range": "bytes=0-"}, {"Range": "bytes=2-4,6-7"}, {}):
        assert send("GET", url, headers=other)[0] == 403
    assert staged_names(strict) == []


def test_server_that_believes_every_signature_is_left_no_spans(moto: S3Server) -> None:
    store = S3Store(moto.bucket())
    put(store, b"0123456789")

    assert store.sign_span(KEY, (2, 5), lasts=HOUR) is None
    assert staged_names(store) == []


@pytest.mark.ceph
def test_spans_are_given_where_clients_reach_the_server(ceph: RadosGateway) -> None:
    address = ceph.server.bucket()
    far = S3Store(replace(address, public_endpoint="https://bytes.example.org"))
    closed = S3Store(address, direct=False)

    assert str(far.sign_span(KEY, (0, 1), lasts=HOUR)).startswith("https://bytes.example.org/")
    assert closed.sign_span(KEY, (0, 1), lasts=HOUR) is None


# A server that fails


def test_server_that_does_not_answer_is_a_refusal() -> None:
    store = S3Store(
        S3Address("bucket", endpoint=f"http://127.0.0.1:{free_port()}", key="a", secret="b")
    )

    for attempt in (store.size, store.open, store.drop):
        with pytest.raises(StoreUnavailable):
            attempt(KEY)
    assert store.sign_span(KEY, (0, 1), lasts=HOUR) is None
    with pytest.raises(StoreUnavailable):
        store.stage([LARGE])


def test_missing_bucket_is_no_missing_blob(address: S3Address) -> None:
    store = S3Store(replace(address, bucket="another-bucket"))

    with pytest.raises(StoreUnavailable):
        store.stage([b"x"])
    with pytest.raises(StoreUnavailable):
        list(store.keys())


@pytest.mark.ceph
def test_wrong_secret_is_a_refusal_that_tells_nothing(ceph: RadosGateway) -> None:
    store = S3Store(replace(ceph.server.bucket(), secret="wrong"))

    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.size(KEY)


@pytest.fixture(scope="module")
def poor(ceph: RadosGateway) -> S3Server:
    return ceph.user(bucket_bytes=20 * MIB)


@pytest.mark.ceph
class TestFullBucket:
    """A quota on a bucket: Ceph counts what is staged and what is published."""

    @pytest.fixture
    def small(self, poor: S3Server) -> S3Store:
        return S3Store(poor.bucket())

    def test_full_bucket_refuses_and_keeps_nothing_of_it(self, small: S3Store) -> None:
        with pytest.raises(OutOfSpace):
            small.stage([b"x" * MIB] * 40)

        assert staged_names(small) == []

    def test_full_bucket_serves_what_it_has_and_takes_again_when_there_is_room(
        self, small: S3Store
    ) -> None:
        put(small, b"x" * 8 * MIB)
        with pytest.raises(OutOfSpace):
            small.stage([b"y" * MIB] * 40)

        assert read(small, KEY) == b"x" * 8 * MIB

        small.drop(KEY)
        assert put(small, b"y" * 8 * MIB)

    def test_bucket_without_room_for_the_copy_publishes_nothing(self, small: S3Store) -> None:
        staged = small.stage([b"x" * 15 * MIB])

        with pytest.raises(OutOfSpace):
            small.publish(staged, KEY)

        assert small.size(KEY) is None


# Reading over a broken connection


class Breaking:
    """A body that breaks after some bytes, as often as it is told."""

    def __init__(self, content: bytes, breaks_at: int) -> None:
        self.content, self.left = content, breaks_at

    def read(self, size: int) -> bytes:
        if not self.left:
            raise ReadTimeoutError(endpoint_url="http://store")
        piece = self.content[: min(size, self.left)]
        self.content, self.left = self.content[len(piece) :], self.left - len(piece)
        return piece

    def close(self) -> None:
        pass


def test_reader_goes_on_where_a_connection_broke() -> None:
    content = bytes(range(100))
    asked = []

    def get(at: int) -> Any:
        asked.append(at)
        return Breaking(content[at:], 30)

    reader = S3Reader(get, Breaking(content[10:], 30), 10, 90)

    assert reader.readall() == content[10:]
    assert asked == [40, 70]


def test_reader_gives_up_on_a_server_that_always_breaks() -> None:
    reader = S3Reader(lambda _at: Breaking(b"", 0), Breaking(b"", 0), 0, 10)

    with pytest.raises(StoreUnavailable):
        reader.read(10)


@pytest.fixture(autouse=True)
def _quick_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.storage.s3_access.ATTEMPTS", 2)
