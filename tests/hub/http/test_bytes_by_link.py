"""What a store gives by itself that clients can reach."""

import urllib.request
from collections.abc import Iterator

import pytest
from django.http import HttpResponseBase
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from hub.http.bytes import serve
from hub.queries.store import blob_store
from hub.storage.digests import lfs_key
from hub.storage.large_files import Content, iter_blob
from tests.hub.http.test_bytes import body_of
from tests.s3 import S3Server

BODY = bytes(range(256)) * 4


@pytest.fixture(autouse=True)
def bucket(moto: S3Server, settings: Settings) -> Iterator[None]:
    moto.use(settings)
    blob_store.cache_clear()
    yield
    blob_store.cache_clear()


def content(name: str = "model.bin") -> Content:
    store = blob_store()
    staged = store.stage([BODY])
    key = lfs_key(staged.sha256)
    store.publish(staged, key)
    return Content(name, "ab" * 32, len(BODY), lambda a, b: iter_blob(store, key, a, b), key)


def ask(what: Content, method: str = "GET", **headers: str) -> HttpResponseBase:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return serve(RequestFactory().generic(method, "/", headers=told), what)


def test_a_download_is_sent_to_the_store() -> None:
    answer = ask(content("a b.bin"), Range="bytes=1-3")

    assert (answer.status_code, answer["Cache-Control"]) == (302, "private, no-store")
    request = urllib.request.Request(  # noqa: S310 - a link of ours
        answer["Location"], headers={"Range": "bytes=1-3"}
    )
    with urllib.request.urlopen(request) as found:  # noqa: S310 - a link of ours
        assert (found.status, found.read()) == (206, BODY[1:4])
        assert found.headers["Content-Type"] == "application/octet-stream"
        assert found.headers["Content-Disposition"].startswith("attachment; filename*=")


def test_head_is_answered_here() -> None:
    answer = ask(content(), "HEAD")

    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(BODY)))
    assert answer["ETag"] == f'"{"ab" * 32}"'


def test_conditions_and_impossible_ranges_are_answered_here() -> None:
    what = content()

    assert ask(what, If_None_Match=f'"{"ab" * 32}"').status_code == 304
    assert ask(what, Range=f"bytes={len(BODY)}-").status_code == 416
    part = ask(what, Range="bytes=0-1", If_Range=f'"{"ab" * 32}"')
    assert (part.status_code, body_of(part)) == (206, BODY[:2])


@pytest.mark.parametrize("nonsense", ["bytes=5-2", "bytes=", "bytes=a-b", "lines=1-2"])
def test_a_range_that_means_nothing_is_not_left_to_the_store(nonsense: str) -> None:
    answer = ask(content(), Range=nonsense)

    assert (answer.status_code, body_of(answer)) == (200, BODY)


def test_what_a_browser_shows_stays_under_our_origin() -> None:
    answer = ask(content("cat.png"))

    assert (answer.status_code, body_of(answer)) == (200, BODY)


def test_a_store_that_clients_cannot_reach_is_read_for_them(settings: Settings) -> None:
    settings.S3_DIRECT = False
    blob_store.cache_clear()

    answer = ask(content(), Range="bytes=1-3")

    assert (answer.status_code, body_of(answer)) == (206, BODY[1:4])
