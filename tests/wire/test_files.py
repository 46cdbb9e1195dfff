"""Files over plain HTTP: ranges, conditions, names that need quoting."""

from collections.abc import Mapping

import pytest

from tests.wire.plain import Answer, Plain, file
from tests.wire.uploads import upload

pytestmark = pytest.mark.wire

REPO = "ada/files"
LARGE = bytes(range(256)) * 40
SMALL = "0123456789"


@pytest.fixture(scope="module")
def there() -> list[str]:
    return []


@pytest.fixture
def get(plain: Plain, there: list[str]) -> "Getter":
    if not there:
        plain.create(REPO)
        oid = upload(plain, REPO, LARGE)
        large = {"path": "w.bin", "algo": "sha256", "oid": oid, "size": len(LARGE)}
        path = file("dir x/ü & ?.txt", SMALL)
        assert plain.commit(REPO, path, file("s.txt", SMALL), ("lfsFile", large)).status == 200
        plain("POST", f"/api/models/{REPO}/branch/a%2Fb", {})
        there.append(oid)
    return Getter(plain)


class Getter:
    """Gets a file of main."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain

    def __call__(
        self, path: str, *, method: str = "GET", revision: str = "main", **headers: str
    ) -> Answer:
        named: Mapping[str, str] = {k.replace("_", "-"): v for k, v in headers.items()}
        target = f"/{REPO}/resolve/{revision}/{path}"
        return self.plain(method, target, who="", headers=named)


@pytest.fixture(params=["s.txt", "w.bin"])
def path(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def _content(path: str) -> bytes:
    return LARGE if path == "w.bin" else SMALL.encode()


def test_a_head_tells_all_that_a_client_needs(get: Getter, path: str) -> None:
    answer = get(path, method="HEAD")

    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len(_content(path))
    assert len(answer.headers["X-Repo-Commit"]) == 40
    assert len(answer.headers["ETag"].strip('"')) == (64 if path == "w.bin" else 40)
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("0-0", 0, 1), ("2-4", 2, 5), ("5-", 5, None), ("-3", -3, None), ("2-99999999", 2, None)],
)
def test_a_range_is_cut_out_of_the_file(
    get: Getter, path: str, asked: str, start: int, stop: int | None
) -> None:
    whole = _content(path)

    answer = get(path, Range=f"bytes={asked}")

    assert (answer.status, answer.body) == (206, whole[start:stop])
    first = start if start >= 0 else len(whole) + start
    last = first + len(answer.body) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"


def test_a_range_behind_the_end_is_unsatisfiable(get: Getter, path: str) -> None:
    answer = get(path, Range="bytes=99999999-")

    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(_content(path))}"
    assert answer.json["error"]


@pytest.mark.parametrize("nonsense", ["bytes=5-2", "bytes=", "pages=1-2", "bytes=a-b", "x"])
def test_a_range_that_means_nothing_is_ignored(get: Getter, path: str, nonsense: str) -> None:
    answer = get(path, Range=nonsense)

    assert (answer.status, answer.body) == (200, _content(path))


def test_what_the_caller_has_is_not_sent_again(get: Getter, path: str) -> None:
    etag = get(path, method="HEAD").headers["ETag"]

    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = get(path, If_None_Match=known)
        assert (answer.status, answer.body) == (304, b"")
    assert get(path, If_None_Match='"other"').status == 200


def test_a_range_of_another_version_is_the_whole_file(get: Getter, path: str) -> None:
    answer = get(path, Range="bytes=0-3", If_Range='"other"')

    assert (answer.status, answer.body) == (200, _content(path))


def test_names_are_unquoted_once(get: Getter) -> None:
    answer = get("dir%20x/%C3%BC%20%26%20%3F.txt")

    assert (answer.status, answer.body) == (200, SMALL.encode())
    assert "filename*=UTF-8''%C3%BC%20%26%20%3F.txt" in answer.headers["Content-Disposition"]


def test_a_slash_in_a_revision_is_quoted_or_is_none(get: Getter) -> None:
    assert get("s.txt", revision="a%2Fb").body == SMALL.encode()
    assert get("s.txt", revision="a/b").status == 404


def test_raw_is_what_git_stores(get: Getter) -> None:
    answer = get.plain("GET", f"/{REPO}/raw/main/w.bin")

    assert answer.body.startswith(b"version https://git-lfs.github.com/spec/v1\noid sha256:")


def test_a_missing_file_names_the_commit(get: Getter) -> None:
    answer = get("nothing.txt")

    assert (answer.status, answer.code) == (404, "EntryNotFound")
    assert len(answer.headers["X-Repo-Commit"]) == 40


def test_a_folder_is_no_file(get: Getter) -> None:
    assert (get("dir%20x").status, get("dir%20x").code) == (404, "EntryNotFound")
