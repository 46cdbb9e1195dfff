"""Endpoints that clients ask beside their work, or that only people and other tools use."""

import pytest

from hub.xet.hashing import to_text
from tests.hub.xet.samples import HELLO, HELLO_SHARD, HELLO_XORB, xorb_of
from tests.wire.plain import Plain, file
from tests.wire.uploads import LFS, Cas, upload

pytestmark = pytest.mark.wire

REPO = "ada/beside"


@pytest.fixture
def repo(plain: Plain) -> str:
    plain.create(REPO)
    plain.commit(REPO, file("a.txt", "one\n"))
    return REPO


def test_harnesses_and_telemetry_are_answered_without_a_token(plain: Plain) -> None:
    assert plain("GET", "/api/agent-harnesses", who="").json == {
        "standardEnvVars": [],
        "harnesses": {},
    }
    assert plain("HEAD", "/api/telemetry/library/use", who="").status == 204
    assert plain("POST", "/v1/telemetry", b"{}", who="").status == 204


def test_two_revisions_are_compared_line_by_line(plain: Plain, repo: str) -> None:
    before = plain("GET", f"/api/models/{repo}").json["sha"]
    plain.commit(repo, file("a.txt", "two\n"))

    told = plain("GET", f"/api/models/{repo}/compare/{before}..main")

    assert b"-one\n+two\n" in told.body
    plain.commit(repo, file("a.txt", "one\n"))


def test_files_are_served_below_the_api_too(plain: Plain, repo: str) -> None:
    assert plain("GET", f"/api/models/{repo}/resolve/main/a.txt").body == b"one\n"


def test_git_lfs_is_told_that_nothing_is_locked(plain: Plain, repo: str) -> None:
    base = f"/{repo}.git/info/lfs/locks"

    assert plain("GET", base, headers=LFS).json == {"locks": []}
    assert plain("POST", f"{base}/verify", {}, headers=LFS).json == {"ours": [], "theirs": []}
    assert plain("POST", base, {"path": "a.txt"}, headers=LFS).status == 404


def test_a_large_file_is_lent_to_another_repo(plain: Plain, repo: str) -> None:
    oid = upload(plain, repo, b"lent weights")
    other = plain.create("ada/borrower")
    body = {"target": {"type": "model", "name": other}, "files": [{"sha256": oid, "filename": "w"}]}
    large = {"path": "w.bin", "algo": "sha256", "oid": oid}

    assert plain("POST", f"/api/models/{repo}/lfs-files/duplicate", body).json == {"failed": []}
    assert plain.commit(other, ("lfsFile", large)).status == 200
    assert plain("GET", f"/{other}/resolve/main/w.bin").body == b"lent weights"


def test_the_store_tells_sizes(plain: Plain, repo: str) -> None:
    cas, xorb = Cas(plain, repo), to_text(xorb_of([HELLO])[0])
    cas("POST", f"/v1/xorbs/default/{xorb}", HELLO_XORB)
    cas("POST", "/v1/shards", HELLO_SHARD)
    file_hash = HELLO_SHARD[48:80]

    told = cas("HEAD", f"/v1/xorbs/default/{xorb}")
    whole = cas("HEAD", f"/v1/files/{to_text(file_hash)}")

    assert cas("POST", "/v1/telemetry", b"{}").status == 204
    assert int(told.headers["Content-Length"]) == len(HELLO_XORB)
    assert int(whole.headers["Content-Length"]) == len(HELLO)


def test_a_card_is_judged_for_anybody(plain: Plain) -> None:
    body = {"content": "---\nlicense: mit\n---\n", "repoType": "model"}

    assert plain("POST", "/api/validate-yaml", body, who="").json["errors"] == []
