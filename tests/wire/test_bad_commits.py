"""Commits that cannot be: each is refused by name, and nothing of it stays."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.wire.plain import Answer, Plain, assert_error, file

pytestmark = pytest.mark.wire

REPO = "ada/bad-commits"
BAD_PATHS = [
    "",
    "/",
    "/etc/passwd",
    "../up.txt",
    "a/../../b",
    "a/./b",
    "a//b",
    "a/",
    "..\\ddd",
    "a\\b",
    ".git/config",
    "a/.GIT/hooks/x",
    ".git./x",
    "git~1/x",
    "nul\u0007",
    "turned\u202etxt.exe",
    "x" * 256,
    "/".join("d" * 70),
]


def _head(plain: Plain) -> str:
    head: str = plain("GET", f"/api/models/{REPO}").json["sha"]
    return head


@pytest.fixture
def untouched(plain: Plain) -> Iterator[Plain]:
    """A repo whose head must be the same after the test."""
    plain.create(REPO)
    before = _head(plain)
    yield plain
    assert _head(plain) == before


def _raw(plain: Plain, body: bytes) -> Answer:
    return plain("POST", f"/api/models/{REPO}/commit/main", body)


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_bad_path_is_unprocessable(untouched: Plain, path: str) -> None:
    assert_error(untouched.commit(REPO, file("good.txt", "good"), file(path, "x")), 422)


def test_a_large_file_that_was_not_uploaded_is_not_found(untouched: Plain) -> None:
    large = {"path": "w.bin", "algo": "sha256", "oid": "5" * 64, "size": 5}

    answer = untouched.commit(REPO, file("good.txt", "good"), ("lfsFile", large))

    assert_error(answer, 404)
    assert "was not uploaded" in answer.json["error"]


def _lines(*operations: tuple[str, object]) -> bytes:
    lines = [("header", {"summary": "Change"}), *operations]
    return b"".join(json.dumps({"key": k, "value": v}).encode() + b"\n" for k, v in lines)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"not json\n",
        b"[1, 2]\n",
        b'{"key": "header"}\n',
        b'{"key": "header", "value": {"summary": ""}}\n',
        b'{"key": "file", "value": {"path": "a.txt", "content": ""}}\n',
        _lines(("explode", {})),
        _lines(("file", {"path": "a.txt", "content": "***", "encoding": "base64"})),
        _lines(("file", {"path": "a.txt"})),
        _lines(("lfsFile", {"path": "a.txt", "oid": "xyz"})),
        _lines(("lfsFile", {"path": "a.txt", "oid": "5" * 64, "size": "big"})),
        _lines(file("a.txt", "a"))[:-20],
    ],
)
def test_a_body_that_is_no_commit_is_a_bad_request(untouched: Plain, body: bytes) -> None:
    assert_error(_raw(untouched, body), 400)


def test_one_line_may_not_be_endless(untouched: Plain) -> None:
    body = _lines(file("a.txt", "x" * 25 * 2**20))

    assert_error(_raw(untouched, body), 413)


def test_deleting_nothing_is_an_entry_not_found(untouched: Plain) -> None:
    answer = untouched.commit(REPO, file("a.txt", "a"), ("deletedFile", {"path": "nothing.txt"}))

    assert_error(answer, 404, "EntryNotFound")


def test_a_stale_parent_is_told(untouched: Plain) -> None:
    assert_error(untouched.commit(REPO, file("a.txt", "a"), parentCommit="1" * 40), 412)


def test_of_many_writers_on_one_parent_exactly_one_wins(plain: Plain) -> None:
    repo = plain.create("ada/race")
    head = plain("GET", f"/api/models/{repo}").json["sha"]

    def write(number: int) -> Answer:
        return plain.commit(repo, file(f"{number}.txt", "mine"), parentCommit=head)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(write, range(8)))

    assert sorted(answer.status for answer in answers) == [200] + [412] * 7
    assert len(plain("GET", f"/api/models/{repo}/tree/main").json) == 2


def test_writers_without_a_parent_all_land(plain: Plain) -> None:
    repo = plain.create("ada/crowd")

    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda n: plain.commit(repo, file(f"{n}.txt", "mine")), range(8))

    assert {answer.status for answer in answers} == {200}
    assert len(plain("GET", f"/api/models/{repo}/commits/main").json) == 9
