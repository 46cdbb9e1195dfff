from collections.abc import Iterator

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import HttpResponseBase
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from hub.http.bytes import disposition, media_type, serve
from hub.queries.store import blob_store
from hub.storage.digests import lfs_key
from hub.storage.large_files import Content
from tests.hub.wire.callers import content as read

BODY = bytes(range(256)) * 5000
SIZE = len(BODY)


@pytest.fixture(params=["streamed", "one file"])
def whole(request: pytest.FixtureRequest) -> Content:
    def read(start: int, stop: int) -> Iterator[bytes]:
        yield BODY[start:stop]

    if request.param == "streamed":
        return Content("model.bin", "ab" * 32, SIZE, read)
    staged = blob_store().stage([BODY])
    key = lfs_key(staged.sha256)
    blob_store().publish(staged, key)
    return Content("model.bin", "ab" * 32, SIZE, read, key)


def body_of(answer: HttpResponseBase) -> bytes:
    """The whole body; then the answer ends, but no request does that would end a transaction."""
    request_finished.disconnect(close_old_connections)
    body = read(answer)
    answer.close()
    request_finished.connect(close_old_connections)
    return body


def ask(content: Content, method: str = "GET", **headers: str) -> HttpResponseBase:
    request = RequestFactory().generic(
        method, "/", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    return serve(request, content)


def test_a_whole_file_comes_with_length_and_etag(whole: Content) -> None:
    answer = ask(whole)

    assert answer.status_code == 200
    assert answer["Content-Length"] == str(SIZE)
    assert answer["ETag"] == f'"{"ab" * 32}"'
    assert answer["Accept-Ranges"] == "bytes"
    assert body_of(answer) == BODY


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [("bytes=5-10", 5, 11), ("bytes=1000000-", 1_000_000, SIZE), ("bytes=-7", SIZE - 7, SIZE)],
)
def test_a_range_comes_as_206(whole: Content, header: str, start: int, stop: int) -> None:
    answer = ask(whole, Range=header)

    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer["Content-Length"] == str(stop - start)
    assert body_of(answer) == BODY[start:stop]


def test_a_range_beyond_the_end_is_416_with_the_size(whole: Content) -> None:
    answer = ask(whole, Range=f"bytes={SIZE}-")

    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{SIZE}"


def test_several_ranges_of_a_file_are_answered_by_all_of_it(whole: Content) -> None:
    answer = ask(whole, Range="bytes=0-1,5-6")

    assert (answer.status_code, body_of(answer)) == (200, BODY)


def test_head_tells_the_length_and_sends_nothing(whole: Content) -> None:
    answer = ask(whole, "HEAD", Range="bytes=0-5")

    assert (answer.status_code, answer["Content-Length"]) == (200, str(SIZE))
    assert body_of(answer) == b""


@pytest.mark.parametrize("tags", [f'"{"ab" * 32}"', f'"x", W/"{"ab" * 32}"', "*"])
def test_who_has_the_file_already_hears_304(whole: Content, tags: str) -> None:
    answer = ask(whole, If_None_Match=tags)

    assert answer.status_code == 304
    assert answer["ETag"] == f'"{"ab" * 32}"'


def test_a_range_of_another_version_is_answered_by_all_of_this_one(whole: Content) -> None:
    assert body_of(ask(whole, Range="bytes=0-5", If_Range='"other"')) == BODY
    assert body_of(ask(whole, Range="bytes=0-5", If_Range=f'"{"ab" * 32}"')) == BODY[:6]


def test_an_empty_file_is_empty(whole: Content) -> None:
    empty = Content("empty.bin", "cd" * 32, 0, whole.read, whole.key)

    answer = ask(empty)

    assert (answer.status_code, answer["Content-Length"], body_of(answer)) == (200, "0", b"")


def test_behind_a_proxy_one_file_is_left_to_it(whole: Content, settings: Settings) -> None:
    settings.ACCEL_PREFIX = "/_store/"

    answer = ask(whole, Range="bytes=0-5")

    if whole.key:
        assert answer["X-Accel-Redirect"] == f"/_store/{whole.key}"
        assert (answer.status_code, body_of(answer)) == (200, b"")
    else:
        assert (answer.status_code, body_of(answer)) == (206, BODY[:6])


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("cat.png", "image/png", "inline"),
        ("README.md", "text/plain; charset=utf-8", "inline"),
        ("page.html", "text/plain; charset=utf-8", "inline"),
        ("config.json", "text/plain; charset=utf-8", "inline"),
        ("LICENSE", "text/plain; charset=utf-8", "inline"),
        ("drawing.svg", "application/octet-stream", "attachment"),
        ("model.safetensors", "application/octet-stream", "attachment"),
        ("paper.pdf", "application/octet-stream", "attachment"),
        ("cat.png.gz", "application/octet-stream", "attachment"),
    ],
)
def test_only_what_does_nothing_is_shown(name: str, kind: str, shown: str) -> None:
    assert media_type(name) == kind
    assert disposition(name, as_attachment=False).startswith(f"{shown};")


def test_no_name_breaks_out_of_its_header() -> None:
    header = disposition('gr"ün\\\r\nSet-Cookie: a.txt', as_attachment=False)

    assert "\r" not in header
    assert header.endswith('filename="gr__n___Set-Cookie: a.txt";')
    assert "filename*=UTF-8''gr%22%C3%BCn%5C%0D%0ASet-Cookie%3A%20a.txt" in header


def test_a_browser_runs_nothing_of_it(whole: Content) -> None:
    answer = ask(whole, "HEAD")

    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
