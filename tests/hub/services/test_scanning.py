"""What is pushed is scanned once, and no door gives away what is not known to be harmless."""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from hub.errors import FileWithheld, UnsafeFile
from hub.git.fetch_request import FetchRequest
from hub.models import Event, Repo, Scan, sql
from hub.names import EntryPath, RepoName, RevisionName
from hub.queries.scans import verdicts_of
from hub.queries.store import blob_store
from hub.scanning.verdicts import RULES, Status
from hub.services import blobs, commits, releases, repos, scanning
from hub.services.commits import DeleteFile, Message, PutFile, PutLarge
from hub.services.fetches import fetch
from hub.services.repos import RepoSettings
from hub.xet.hashing import to_text
from teams.errors import Forbidden
from teams.models import AccessToken, AuditEntry, Mail, Namespace
from teams.services import tokens
from teams.services.tokens import Wish
from tests.cast import Cast, signed_in
from tests.hub.scanning.corpus import OS_SYSTEM, call, zipped
from tests.hub.wire.callers import XetCaller, batch, caller, content, put_lfs

pytestmark = pytest.mark.django_db

CHECKPOINT = zipped({"archive/data.pkl": OS_SYSTEM, "archive/data/0": bytes(70_000)})
HELLO = b"Hello!\n"


@pytest.fixture(autouse=True)
def own_store(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.STORE_URL = f"file://{tmp_path}/store"
    blob_store.cache_clear()
    yield
    blob_store.cache_clear()


def commit(cast: Cast, repo: Repo, files: dict[str, bytes | None]) -> bytes:
    return commits.commit(
        repo=repo,
        branch=RevisionName("main"),
        operations=[
            DeleteFile(EntryPath(path)) if raw is None else PutFile(EntryPath(path), raw)
            for path, raw in files.items()
        ],
        message=Message("Files"),
        by=signed_in(cast.root),
    )


def git_id(raw: bytes) -> bytes:
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).digest()


def states(repo: Repo) -> dict[bytes, str]:
    return {bytes(key): state for key, state in repo.scans.values_list("key", "state")}


def with_large(cast: Cast, repo: Repo, raw: bytes, path: str = "model.bin") -> bytes:
    """Upload by LFS, and commit the pointer."""
    sha256 = put_lfs(caller(cast.root), repo, raw)
    commits.commit(
        repo=repo,
        branch=RevisionName("main"),
        operations=[PutLarge(EntryPath(path), sha256, len(raw))],
        message=Message("Weights"),
        by=signed_in(cast.root),
    )
    return sha256


def test_every_file_of_a_commit_waits_and_is_scanned_once(cast: Cast) -> None:
    repo = cast.repo()
    commit(cast, repo, {"a.txt": HELLO, "b.txt": HELLO, "evil.pkl": OS_SYSTEM})
    assert set(states(repo).values()) == {"queued"}

    scanning.scan_queued()

    assert states(repo)[git_id(HELLO)] == "safe"
    assert states(repo)[git_id(OS_SYSTEM)] == "unsafe"
    assert scanning.scan_queued() == 0


def test_a_large_file_is_scanned_where_its_pointer_is(cast: Cast) -> None:
    repo = cast.repo()
    sha256 = with_large(cast, repo, CHECKPOINT)

    scanning.scan_queued()

    found = verdicts_of(repo.pk, [sha256])[sha256]
    assert found.status is Status.UNSAFE
    assert found.details["imports"] == [{"module": "os", "name": "system", "safety": "dangerous"}]


def test_a_large_file_that_is_known_is_not_read_again(cast: Cast) -> None:
    first, second = cast.repo(), cast.repo("acme/copy")
    sha256 = with_large(cast, first, CHECKPOINT)
    scanning.scan_queued()
    with_large(cast, second, CHECKPOINT)
    blob_path = blob_store().path(f"lfs/{sha256.hex()[:2]}/{sha256.hex()[2:4]}/{sha256.hex()}")
    if blob_path is not None:
        blob_path.unlink()

    scanning.scan_queued()

    assert states(second)[sha256] == "unsafe"


def test_names_add_suspicion(cast: Cast) -> None:
    repo = cast.repo()
    commit(cast, repo, {"weights/model.safetensors": b"not at all"})

    scanning.scan_queued()

    assert states(repo)[git_id(b"not at all")] == "suspicious"


def test_who_dies_with_a_file_in_hand_leaves_it_to_others(cast: Cast) -> None:
    repo = cast.repo()
    commit(cast, repo, {"evil.pkl": OS_SYSTEM})
    Scan.objects.update(attempts=1)
    sql.run("UPDATE hub_scan SET claimed_until = now() + interval '5 minutes'")
    assert scanning.scan_queued() == 0

    sql.run("UPDATE hub_scan SET claimed_until = now() - interval '1 second'")

    assert scanning.scan_queued() > 0
    assert states(repo)[git_id(OS_SYSTEM)] == "unsafe"


def test_a_file_on_which_everybody_dies_is_no_safe_one(cast: Cast) -> None:
    repo = cast.repo()
    commit(cast, repo, {"a.txt": HELLO})
    Scan.objects.update(attempts=scanning.MOST_ATTEMPTS)

    scanning.scan_queued()

    assert states(repo)[git_id(HELLO)] == "error"


def three_files(cast: Cast) -> Repo:
    repo = cast.repo()
    Scan.objects.all().delete()
    commit(cast, repo, {f"{name}.bin": name.encode() for name in ("a", "b", "c")})
    Scan.objects.exclude(key__in=[git_id(name.encode()) for name in ("a", "b", "c")]).delete()
    return repo


def looking(monkeypatch: pytest.MonkeyPatch, at: int, then: Callable[[], None]) -> None:
    """Have something happen while the file number ``at`` is looked at."""
    numbers, look = itertools.count(), scanning._look

    def look_and(*arguments: Any) -> Any:
        if next(numbers) == at:
            then()
        return look(*arguments)

    monkeypatch.setattr(scanning, "_look", look_and)


def test_a_store_that_is_away_is_no_fault_of_any_file(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = three_files(cast)

    def go_away() -> None:
        raise OSError("The store is away.")

    looking(monkeypatch, 1, go_away)

    with pytest.raises(OSError, match="away"):
        scanning.scan_queued()

    assert sorted(states(repo).values()) == ["queued", "queued", "safe"]
    waiting = Scan.objects.filter(state="queued")
    assert sorted(waiting.values_list("attempts", flat=True)) == [0, 0]
    assert waiting.filter(claimed_until=None).count() == 1


def test_what_another_took_meanwhile_is_left_to_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = three_files(cast)

    def take_all() -> None:
        sql.run("UPDATE hub_scan SET claimed_until = now() + interval '9 minutes'")

    looking(monkeypatch, 0, take_all)

    assert scanning.scan_queued() == 1

    assert sorted(states(repo).values()) == ["queued", "queued", "safe"]
    assert set(Scan.objects.filter(state="queued").values_list("attempts", flat=True)) == {0}


def test_a_repo_that_is_opened_while_it_is_scanned_gives_no_token_away(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaked, secret = tokens.issue(user=cast.ada, name="laptop", role="write")
    repo = cast.repo(private=True)
    commit(cast, repo, {"train.sh": f"export TOKEN={secret}\n".encode()})
    opened = RepoSettings(visibility="public")
    by = signed_in(cast.root)
    looking(monkeypatch, 0, lambda: repos.change_settings(repo=repo, settings=opened, by=by))

    scanning.scan_queued()

    assert AccessToken.objects.get(pk=leaked.pk).revoked_at is not None


def test_newer_rules_are_tried_on_all(cast: Cast) -> None:
    repo = cast.repo()
    commit(cast, repo, {"a.txt": HELLO})
    scanning.scan_queued()
    Scan.objects.update(rules=RULES - 1, state="unsafe")

    scanning.renew()

    waiting = verdicts_of(repo.pk, [git_id(HELLO)])[git_id(HELLO)]
    assert (waiting.status, waiting.standing) == (Status.QUEUED, Status.UNSAFE)
    scanning.scan_queued()
    assert states(repo)[git_id(HELLO)] == "safe"
    assert scanning.renew() == 0


def test_what_is_collected_has_no_verdict_left(cast: Cast) -> None:
    repo = cast.repo()
    commit(cast, repo, {"a.txt": HELLO})
    sql.run("DELETE FROM git_object WHERE repo_id = %s AND oid = %s", [repo.pk, git_id(HELLO)])

    scanning.scan_queued()

    assert git_id(HELLO) not in states(repo)


def test_bad_files_are_news_and_good_ones_are_not(cast: Cast) -> None:
    repo = cast.repo()
    commit(cast, repo, {"a.txt": HELLO})
    scanning.scan_queued()
    assert not Event.objects.filter(scope="repo.security").exists()

    commit(cast, repo, {"evil.pkl": OS_SYSTEM})
    scanning.scan_queued()

    told = Event.objects.get(scope="repo.security").details
    assert told == {"security": {"files": [{"key": git_id(OS_SYSTEM).hex(), "status": "unsafe"}]}}


@pytest.mark.parametrize("origin", list(AccessToken.Origin))
def test_live_tokens_in_a_public_push_end_at_once(
    cast: Cast, settings: Settings, origin: str
) -> None:
    settings.MAIL = settings.MAIL | {"host": "mail.example"}
    cast.ada.email = "ada@example.org"
    cast.ada.save()
    wish = Wish(name="laptop", role="write", origin=origin)
    leaked, secret = tokens.issue_as(wish, user=cast.ada)
    kept, _secret = tokens.issue(user=cast.ada, name="other", role="write")
    commit(cast, cast.repo(), {"train.sh": f"export TOKEN={secret}\n".encode()})

    scanning.scan_queued()

    assert AccessToken.objects.get(pk=leaked.pk).revoked_at is not None
    assert AccessToken.objects.get(pk=kept.pk).revoked_at is None
    assert Mail.objects.get().to == "ada@example.org"
    assert secret not in Mail.objects.get().text
    assert AuditEntry.objects.filter(action="token.revoke_leaked").count() == 1
    assert secret not in str(list(Scan.objects.values_list("details", flat=True)))


def test_tokens_in_a_private_repo_end_when_it_is_opened(cast: Cast) -> None:
    leaked, secret = tokens.issue(user=cast.ada, name="laptop", role="write")
    repo = cast.repo(private=True)
    commit(cast, repo, {"train.sh": f"export TOKEN={secret}\n".encode()})
    scanning.scan_queued()
    assert AccessToken.objects.get(pk=leaked.pk).revoked_at is None

    repos.change_settings(
        repo=repo, settings=RepoSettings(visibility="public"), by=signed_in(cast.root)
    )
    scanning.scan_queued()

    assert AccessToken.objects.get(pk=leaked.pk).revoked_at is not None


class Doors:
    """Every way to the bytes of one small and one large file of a repo."""

    def __init__(self, cast: Cast, repo: Repo, small: bytes, large: bytes) -> None:
        self.client = caller(cast.ada)
        self.cast, self.repo = cast, repo
        self.small, self.large = small, large
        self.sha256 = with_large(cast, repo, large)
        commit(cast, repo, {"evil.pkl": small})

    def open_ones(self) -> set[str]:
        """The doors that gave something."""
        found = {
            name
            for name, answer in self._http().items()
            if answer.status_code in {200, 206} and self._is_shown(content(answer))
        }
        if self._lfs():
            found.add("lfs batch")
        return found | self._beside()

    def _is_shown(self, body: bytes) -> bool:
        marks = (self.small, self.large, self.sha256.hex().encode(), b"system", b"terms")
        return any(mark in body for mark in marks)

    def _http(self) -> dict[str, Any]:
        url, api = self.repo.url, f"/api/models/{self.repo}"
        get = self.client.get
        return {
            "resolve": get(f"{url}/resolve/main/evil.pkl"),
            "resolve range": get(f"{url}/resolve/main/evil.pkl", headers={"Range": "bytes=0-9"}),
            "resolve large": get(f"{url}/resolve/main/model.bin"),
            "raw": get(f"{url}/raw/main/evil.pkl"),
            "raw large": get(f"{url}/raw/main/model.bin"),
            "diff": get(f"{api}/compare/{self._first()}..main"),
        }

    def _first(self) -> str:
        rows = sql.rows(
            "SELECT oid FROM git_commit WHERE repo_id = %s ORDER BY pos LIMIT 1", [self.repo.pk]
        )
        return str(rows[0][0].hex())

    def _lfs(self) -> bool:
        answer = batch(self.client, self.repo, "download", [(self.sha256.hex(), len(self.large))])
        (one,) = answer["objects"]
        if "actions" not in one:
            assert one["error"]["code"] == 403
            return False
        return content(Client().get(one["actions"]["download"]["href"])) == self.large

    def _beside(self) -> set[str]:
        found = set()
        try:
            wants = [
                oid
                for (oid,) in sql.rows("SELECT oid FROM git_ref WHERE repo_id = %s", [self.repo.pk])
            ]
            pack = fetch(repo=self.repo, request=FetchRequest(wants=wants, done=True)).pack
            assert pack is not None
            pack.close()
            found.add("git")
        except FileWithheld:
            pass
        other = repos.create(
            kind=self.repo.repo_kind,
            name=RepoName("cleo", f"copy-{Repo.objects.count()}"),
            by=signed_in(self.cast.cleo),
            visibility="public",
        )
        if blobs.lend(source=self.repo, target=other, digests=[self.sha256], by=self.cast.cleo):
            found.add("lend")
        if blobs.adopt(repo=other, digests=[self.sha256], by=signed_in(self.cast.cleo)):
            found.add("adopt")
        repos.delete(repo=other, by=signed_in(self.cast.cleo))
        try:
            made = repos.duplicate(
                source=self.repo,
                to=RepoName("cleo", "twin"),
                by=signed_in(self.cast.cleo),
                visibility="public",
            )
            repos.delete(repo=made, by=signed_in(self.cast.cleo))
            found.add("duplicate")
        except FileWithheld:
            pass
        return found


ALL_DOORS = {
    "resolve",
    "resolve range",
    "resolve large",
    "raw",
    "raw large",
    "diff",
    "lfs batch",
    "git",
    "lend",
    "adopt",
    "duplicate",
}


def strict(cast: Cast, policy: str = "quarantine") -> None:
    releases.set_policy(namespace=cast.acme.namespace, policy=policy, by=signed_in(cast.ada))
    cast.acme.namespace.refresh_from_db()


SMALL = call("os", "system")


@pytest.mark.django_db(transaction=True)
def test_no_door_gives_away_what_is_withheld_and_all_do_what_is_released(cast: Cast) -> None:
    repo = cast.repo("acme/model")
    doors = Doors(cast, repo, SMALL, CHECKPOINT)
    assert doors.open_ones() == ALL_DOORS

    strict(cast)
    repo.namespace.refresh_from_db()
    assert doors.open_ones() == set(), "before any verdict"

    scanning.scan_queued()
    assert doors.open_ones() == set(), "after a bad one"

    for key in (doors.sha256, git_id(SMALL)):
        releases.release(repo=repo, key=key, by=signed_in(cast.ada), reason="It is ours.")
    assert doors.open_ones() == ALL_DOORS

    releases.withdraw(repo=repo, key=doors.sha256, by=signed_in(cast.ada))
    releases.withdraw(repo=repo, key=git_id(SMALL), by=signed_in(cast.ada))
    assert doors.open_ones() == set()
    told = AuditEntry.objects.filter(action="repo.release_file").order_by("pk").first()
    assert told is not None
    assert told.details["verdict"] == "unsafe"
    assert told.details["reason"] == "It is ours."


def test_a_file_in_xet_form_is_withheld_from_its_readers(cast: Cast) -> None:
    repo = cast.repo("acme/model")
    writer = XetCaller(caller(cast.ada), repo)
    file = writer.put_file([CHECKPOINT])
    reader = XetCaller(caller(cast.cleo), repo, scope="read")
    path = f"/v1/reconstructions/{to_text(file.hash)}"
    assert reader.get(path).status_code == 200

    strict(cast)

    for where in (path, path.replace("/v1/", "/v2/")):
        answer = reader.get(where)
        assert answer.status_code == 403
        assert answer["X-Error-Code"] == "FileWithheld"


def test_harmless_files_are_served_once_they_are_known_to_be(cast: Cast) -> None:
    repo = cast.repo("acme/model")
    strict(cast)
    commit(cast, repo, {"a.txt": HELLO})
    client = caller(cast.cleo)
    url = f"{repo.url}/resolve/main/a.txt"
    waiting = client.get(url)
    assert (waiting.status_code, waiting["X-Error-Code"]) == (403, "FileWithheld")

    scanning.scan_queued()

    assert content(client.get(url)) == HELLO


def test_only_who_manages_a_repo_lets_a_file_out(cast: Cast) -> None:
    repo = cast.repo("acme/model")
    commit(cast, repo, {"evil.pkl": OS_SYSTEM})
    scanning.scan_queued()

    with pytest.raises(Forbidden):
        releases.release(repo=repo, key=git_id(OS_SYSTEM), by=signed_in(cast.cleo))
    with pytest.raises(Forbidden):
        releases.set_policy(
            namespace=Namespace.objects.get(name="acme"), policy="warn", by=signed_in(cast.ben)
        )


def test_a_worse_verdict_ends_a_release(cast: Cast) -> None:
    repo = cast.repo("acme/model")
    commit(cast, repo, {"evil.pkl": OS_SYSTEM})
    scanning.scan_queued()
    Scan.objects.filter(key=git_id(OS_SYSTEM)).update(state="suspicious", rules=0)
    releases.release(repo=repo, key=git_id(OS_SYSTEM), by=signed_in(cast.ada))

    scanning.renew()
    scanning.scan_queued()

    assert Scan.objects.get(key=git_id(OS_SYSTEM)).released_at is None


def test_the_same_verdict_keeps_a_release(cast: Cast) -> None:
    repo = cast.repo("acme/model")
    commit(cast, repo, {"evil.pkl": OS_SYSTEM})
    scanning.scan_queued()
    releases.release(repo=repo, key=git_id(OS_SYSTEM), by=signed_in(cast.ada))

    releases.scan_again(repo=repo, by=signed_in(cast.ada))
    scanning.scan_queued()

    assert Scan.objects.get(key=git_id(OS_SYSTEM)).released_at is not None


def test_where_nothing_is_withheld_a_download_asks_no_more_than_before(
    cast: Cast,
) -> None:
    repo = cast.repo("acme/model")
    commit(cast, repo, {"a.txt": HELLO})
    client = Client()
    url = f"{repo.url}/raw/main/a.txt"
    content(client.get(url))
    with connection.execute_wrapper(_no_scans):
        assert content(client.get(url)) == HELLO


def _no_scans(execute: Any, query: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
    assert "hub_scan" not in query
    return execute(query, params, many, context)


def test_where_it_is_wanted_no_commit_brings_what_is_unsafe(cast: Cast) -> None:
    repo = cast.repo("acme/model")
    commit(cast, repo, {"old.pkl": OS_SYSTEM})
    strict(cast, "block")
    repo = Repo.objects.select_related("namespace").get(pk=repo.pk)

    with pytest.raises(UnsafeFile, match=r"evil.pkl is unsafe to load: it imports os.system"):
        commit(cast, repo, {"a.txt": HELLO, "evil.pkl": OS_SYSTEM + b"#"})

    commit(cast, repo, {"a.txt": HELLO})


def test_clients_read_what_was_found(cast: Cast) -> None:
    repo = cast.repo("acme/model")
    commit(cast, repo, {"a.txt": HELLO, "evil.pkl": OS_SYSTEM})
    client = caller(cast.cleo)
    tree = f"/api/models/{repo}/tree/main?expand=true"
    before = {one["path"]: one["securityFileStatus"]["status"] for one in client.get(tree).json()}
    assert before["a.txt"] == "queued"

    scanning.scan_queued()

    told = {one["path"]: one["securityFileStatus"] for one in client.get(tree).json()}
    assert told["a.txt"]["status"] == "safe"
    assert told["evil.pkl"]["status"] == "unsafe"
    assert told["evil.pkl"]["pickleImportScan"]["pickleImports"] == [
        {"module": "os", "name": "system", "safety": "dangerous"}
    ]
    info = client.get(f"/api/models/{repo}?securityStatus=true").json()
    assert info["securityRepoStatus"] == {
        "scansDone": True,
        "filesWithIssues": [{"path": "evil.pkl", "level": "unsafe"}],
    }


def test_owners_decide_by_rest(cast: Cast) -> None:
    repo = cast.repo("acme/model")
    commit(cast, repo, {"evil.pkl": OS_SYSTEM})
    scanning.scan_queued()
    ada, cleo = caller(cast.ada), caller(cast.cleo)
    json = "application/json"
    policy = "/api/v1/namespaces/acme/scan-policy"
    assert cleo.put(policy, {"policy": "warn"}, content_type=json).status_code == 404
    assert ada.put(policy, {"policy": "quarantine"}, content_type=json).status_code == 200
    url = f"/api/v1/repos/models/{repo}/security"
    (issue,) = cleo.get(url).json()["issues"]
    assert (issue["path"], issue["is_withheld"]) == ("evil.pkl", True)
    release = f"{url}/released/{issue['key']}"

    assert cleo.put(release, {}, content_type=json).status_code == 403
    assert ada.put(release, {"reason": "Ours"}, content_type=json).status_code == 204

    assert cleo.get(url).json()["issues"][0]["is_withheld"] is False
    assert content(cleo.get(f"{repo.url}/resolve/main/evil.pkl")) == OS_SYSTEM
    assert ada.delete(release).status_code == 204
    assert cleo.get(f"{repo.url}/resolve/main/evil.pkl").status_code == 403
    assert ada.post(f"{url}/scans", {}, content_type=json).json() == {"queued": len(states(repo))}
    assert ada.put(f"{url}/released/zz", {}, content_type=json).status_code == 404


def test_pages_say_what_was_found_and_give_nothing_away(cast: Cast) -> None:
    repo = cast.repo("acme/model")
    commit(cast, repo, {"a.txt": HELLO, "evil.pkl": SMALL})
    strict(cast)
    scanning.scan_queued()
    client = Client()
    client.force_login(cast.ada)

    file = client.get(f"{repo.url}/blob/main/evil.pkl").content.decode()
    listing = client.get(f"{repo.url}/tree/main").content.decode()
    page = client.get(f"{repo.url}/security").content.decode()

    assert "Loading this file runs code" in file
    assert "echo pwned" not in file
    assert listing.count("badge-bad") == 1
    assert "os.system" in page
    assert "Let it out" in page
    answer = client.post(f"{repo.url}/security", {"release": git_id(SMALL).hex(), "reason": "x"})
    assert answer.status_code == 302
    assert "echo pwned" in client.get(f"{repo.url}/blob/main/evil.pkl").content.decode()
