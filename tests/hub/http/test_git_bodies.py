import gzip

import pytest
from django.test import RequestFactory

from hub.http.git_bodies import GitBody
from teams.errors import Invalid, TooLarge

CONTENT = bytes(range(256)) * 1000


def body_of(raw: bytes, encoding: str = "gzip", most: int = 1_000_000) -> GitBody:
    headers = {"Content-Encoding": encoding}
    request = RequestFactory().post("/", raw, content_type="application/x-git", headers=headers)
    return GitBody(request, most=most)


def whole(body: GitBody, size: int = 1000) -> bytes:
    return b"".join(iter(lambda: body.read(size), b""))


@pytest.mark.parametrize("size", [7, 1000, 1_000_000])
def test_a_body_is_read_in_pieces_as_it_is_and_inflated(size: int) -> None:
    assert whole(body_of(CONTENT, "identity"), size) == CONTENT
    assert whole(body_of(gzip.compress(CONTENT)), size) == CONTENT


def test_a_body_that_grows_too_large_is_refused() -> None:
    with pytest.raises(TooLarge):
        whole(body_of(gzip.compress(bytes(2_000_000))))


def test_a_body_that_is_too_large_as_it_comes_is_refused() -> None:
    with pytest.raises(TooLarge):
        whole(body_of(CONTENT, "identity", most=1000))


@pytest.mark.parametrize("raw", [b"", b"no gzip", gzip.compress(CONTENT)[:-9]])
def test_a_body_that_is_no_gzip_or_cut_off_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        whole(body_of(raw))


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(Invalid):
        body_of(b"", "br")


def test_what_is_not_read_is_drained() -> None:
    request = RequestFactory().post("/", CONTENT, content_type="application/x-git")
    body = GitBody(request, most=1_000_000)

    body.read(10)
    body.drain()

    assert request.read() == b""
