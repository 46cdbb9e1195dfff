"""Pushes that no honest git would send: refused in words that git shows, and nothing lands."""

import gzip
import secrets
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.git.objects import Kind, hash_object
from hub.git.pkt_line import Mark, packet
from tests.hub.git.packs import header, ofs_delta, pack, ref_delta, varint, whole
from tests.live import LiveServer
from tests.wire.git_client import Clone, Git
from tests.wire.plain import Answer, Plain
from tests.wire.record import GIT, Record

pytestmark = pytest.mark.wire

PUSHED = {"Content-Type": "application/x-git-receive-pack-request"}
IDENT = b"A U Thor <a@example.org> 1700000000 +0000"
NOTHING = "0" * 40
FILE, FOLDER, LINK = b"100644", b"40000", b"120000"


@dataclass(frozen=True)
class Attacker:
    """Sends packs made by hand to a repo of their own."""

    plain: Plain
    repo: str
    head: str

    def push(
        self, entries: Iterable[bytes], new: str, ref: str = "refs/heads/main", old: str = ""
    ) -> Answer:
        return self.send(command(old or self.head, new, ref) + Mark.FLUSH.value + pack(entries))

    def send(self, body: bytes, **headers: str) -> Answer:
        target = f"/{self.repo}/git-receive-pack"
        return self.plain("POST", target, body, headers=PUSHED | headers)

    def refs(self) -> dict[str, str]:
        told = self.plain("GET", f"/api/models/{self.repo}/refs").json
        return {one["ref"]: one["targetCommit"] for one in told["branches"] + told["tags"]}


def command(old: str, new: str, ref: str) -> bytes:
    return packet(f"{old} {new} {ref}\0 report-status side-band-64k".encode())


def tree_of(*entries: tuple[bytes, bytes, bytes]) -> bytes:
    return b"".join(mode + b" " + name + b"\0" + oid for mode, name, oid in entries)


def oid_of(kind: Kind, raw: bytes) -> bytes:
    return hash_object(kind, raw)


def commit_of(tree: bytes, parent: str) -> bytes:
    return (
        b"tree "
        + tree.hex().encode()
        + b"\nparent "
        + parent.encode()
        + b"\nauthor "
        + IDENT
        + b"\ncommitter "
        + IDENT
        + b"\n\nAttack\n"
    )


@pytest.fixture(scope="module")
def victim(hub: LiveServer) -> Iterator[Attacker]:
    """After all attacks everything is as it was before, and the hub finds nothing wrong."""
    plain = Plain(hub.url, {"ada": hub.token("ada")})
    repo = plain.create(f"ada/attacked-{secrets.token_hex(4)}")
    commits = plain("GET", f"/api/models/{repo}/commits/main").json
    before = rows_of(hub, repo)
    yield Attacker(plain, repo, commits[0]["id"])
    assert rows_of(hub, repo) == before
    assert hub.fsck("--repo", repo, "--deep") == []


@pytest.fixture
def attacker(victim: Attacker) -> Iterator[Attacker]:
    yield victim
    assert victim.refs() == {"refs/heads/main": victim.head}


def rows_of(hub: LiveServer, repo: str) -> str:
    name = repo.partition("/")[2]
    return hub.manage(
        "shell",
        "--verbosity=0",
        "-c",
        "from hub.models import Repo, sql; "
        f"pk = Repo.objects.get(name='{name}').pk; "
        "print([sql.row(f'SELECT count(*) FROM {t} WHERE repo_id = %s', [pk]) for t in "
        "('git_object', 'git_commit', 'path_change', 'git_ref', 'git_line')])",
    )


def said(answer: Answer) -> bytes:
    """What git would show, and that it would show a failure."""
    assert answer.status == 200, answer
    assert b"ng " in answer.body
    assert b"ok refs/" not in answer.body
    return answer.body


BLOB = b"content\n"
BLOB_OID = oid_of(Kind.BLOB, BLOB)


def with_tree(attacker: Attacker, tree: bytes, *more: bytes) -> bytes:
    """Push a commit of one tree; answer what came of it."""
    commit = commit_of(oid_of(Kind.TREE, tree), attacker.head)
    entries = [whole(Kind.COMMIT, commit), whole(Kind.TREE, tree), whole(Kind.BLOB, BLOB), *more]
    return said(attacker.push(entries, oid_of(Kind.COMMIT, commit).hex()))


@pytest.mark.parametrize(
    "name",
    [
        b".git", b".GIT", b".gIt", b"git~1", b"GIT~1", b".git.", b".git ", b".git. .",
        b".git::$INDEX_ALLOCATION", b".git:stream", ".g\u200cit".encode(), ".git\ufeff".encode(),
        b"a\\.git\\config", b"..", b".", b"a/b", b"",
    ],
)  # fmt: skip
def test_git_in_any_disguise_is_refused(attacker: Attacker, name: bytes) -> None:
    assert b"in a tree is refused" in with_tree(attacker, tree_of((FILE, name, BLOB_OID)))


@pytest.mark.parametrize(
    "entries",
    [
        [(FILE, b"a", BLOB_OID), (FILE, b"a", BLOB_OID)],
        [(FILE, b"b", BLOB_OID), (FILE, b"a", BLOB_OID)],
        [(FILE, b"a", BLOB_OID), (FILE, b"a.b", BLOB_OID), (FOLDER, b"a", bytes(19) + b"1")],
    ],
    ids=["twice", "out of order", "a file and a folder"],
)
def test_two_entries_of_a_name_are_refused(
    attacker: Attacker, entries: list[tuple[bytes, bytes, bytes]]
) -> None:
    assert b"tree" in with_tree(attacker, tree_of(*entries))


def test_a_tree_that_is_a_blob_is_refused(attacker: Attacker) -> None:
    assert b"named as a tree" in with_tree(attacker, tree_of((FOLDER, b"a", BLOB_OID)))


@pytest.mark.parametrize(
    ("folder", "target"), [(b"", b"../x"), (b"a", b"../../x"), (b"", b"/etc/passwd")]
)
def test_a_link_that_leads_out_is_refused(attacker: Attacker, folder: bytes, target: bytes) -> None:
    inner = tree_of((LINK, b"link", oid_of(Kind.BLOB, target)))
    more = [whole(Kind.BLOB, target)]
    tree = inner
    if folder:
        tree = tree_of((FOLDER, folder, oid_of(Kind.TREE, inner)))
        more.append(whole(Kind.TREE, inner))

    assert b"The symbolic link" in with_tree(attacker, tree, *more)


def test_a_tree_that_is_too_deep_is_refused(attacker: Attacker) -> None:
    tree, more = tree_of((FILE, b"x", BLOB_OID)), []
    for _ in range(70):
        more.append(whole(Kind.TREE, tree))
        tree = tree_of((FOLDER, b"d", oid_of(Kind.TREE, tree)))

    assert b"folders deep" in with_tree(attacker, tree, *more)


def test_a_small_pack_that_makes_much_is_refused(attacker: Attacker) -> None:
    base = bytes(60_000)
    made = varint(len(base)) + varint(len(base) * 200_000) + b"\xb0\x60\xea" * 200_000
    bomb = [whole(Kind.BLOB, base), ref_delta(oid_of(Kind.BLOB, base), made)]
    deflated = header(Kind.TREE, 10 << 30) + zlib.compress(bytes(1_000_000), 9)

    assert b"at most" in with_tree(attacker, tree_of((FILE, b"x", BLOB_OID)), deflated)
    assert b"bytes" in with_tree(attacker, tree_of((FILE, b"x", BLOB_OID)), *bomb)


@pytest.mark.parametrize(
    "entries",
    [
        [header(Kind.BLOB, 3) + zlib.compress(BLOB)],
        [header(Kind.BLOB, 300) + zlib.compress(BLOB)],
        [header(5, 3) + zlib.compress(b"abc")],
        [ofs_delta(100, varint(1) + varint(1) + b"\1x")],
        [ref_delta(b"\1" * 20, varint(1) + varint(1) + b"\1x")],
        [whole(Kind.BLOB, BLOB)[:-4]],
    ],
    ids=["smaller", "larger", "no type", "before the pack", "of nothing", "cut"],
)
def test_a_pack_that_lies_is_refused(attacker: Attacker, entries: list[bytes]) -> None:
    assert b"unpack ok" not in said(attacker.push(entries, "1" * 40))


def test_a_pack_of_another_count_is_refused(attacker: Attacker) -> None:
    begin = command(attacker.head, "1" * 40, "refs/heads/main") + Mark.FLUSH.value
    for count in (0, 2, 2**32 - 1):
        said(attacker.send(begin + pack([whole(Kind.BLOB, BLOB)], count=count)))


@pytest.mark.parametrize(
    "ref",
    [
        "HEAD", "main", "refs/heads/", "refs/heads/a..b", "refs/heads/../../etc", "refs/heads/a b",
        "refs/heads/a\x07", "refs/heads/a.lock", "refs/heads/.a", "refs/heads/a/", "refs/heads//a",
        "refs/heads/@{u}", "refs/heads/-x", "refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b",
        "refs/heads/a?", "refs/heads/a*", "refs/heads/a[", "refs/heads/a\\b", "refs/remotes/x",
        "refs/heads/" + "x" * 300, "refs/heads/\x7f", "refs/tags/..",
    ],
)  # fmt: skip
def test_a_hostile_name_of_a_ref_is_refused(attacker: Attacker, ref: str) -> None:
    answer = attacker.push([], attacker.head, ref, old=NOTHING)

    told = said(answer)
    assert b"not a valid name" in told or b"not allowed" in told


@pytest.mark.parametrize(
    "body",
    [
        b"fff1" + b"x" * 0xFFF1,
        b"ffff",
        b"0003",
        packet(b"x" * 65_000) * 20 + b"0000",
        packet(f"{NOTHING} {'1' * 40} refs/heads/\udcff".encode(errors="surrogateescape"))
        + b"0000",
        (command(NOTHING, "1" * 40, "refs/heads/a") * 2) + b"0000",
    ],
    ids=["oversized", "too long", "too short", "no commands", "no UTF-8", "twice"],
)
def test_what_is_no_list_of_commands_is_refused(attacker: Attacker, body: bytes) -> None:
    assert attacker.send(body).status == 400


def test_endless_commands_are_refused(attacker: Attacker) -> None:
    body = b"".join(command(NOTHING, "1" * 40, f"refs/heads/{n}") for n in range(10_002)) + b"0000"

    assert attacker.send(body).status == 400


def test_a_bomb_in_gzip_is_refused(attacker: Attacker) -> None:
    commands = command(NOTHING, "1" * 40, "refs/heads/a")
    bomb = gzip.compress(packet(b"x" * 65_000) * 3000)
    cut = gzip.compress(commands + b"0000")[:-12]

    for body in (bomb, cut, b"no gzip"):
        assert attacker.send(body, **{"Content-Encoding": "gzip"}).status in {400, 413}


def test_a_replayed_push_changes_nothing(
    hub: LiveServer, plain: Plain, record: Record, tmp_path: Path
) -> None:
    """Whoever repeats a push that landed hears that the ref has moved on."""
    repo = plain.create(f"ada/replayed-{secrets.token_hex(4)}")
    with record.by(GIT):
        clone = Git(hub, tmp_path, who="ada").clone(repo)
    old = clone("rev-parse", "HEAD")
    clone("commit", "--quiet", "--allow-empty", "--message", "Once")
    new = clone("rev-parse", "HEAD")
    data = packed(clone, new)
    attacker = Attacker(plain, repo, old)
    body = command(old, new, "refs/heads/main") + Mark.FLUSH.value + data

    first, second = attacker.send(body).body, attacker.send(body).body

    assert b"ok refs/heads/main" in first
    assert b"ng refs/heads/main fetch first" in second
    assert len(plain("GET", f"/api/models/{repo}/commits/main").json) == 2


def packed(clone: Clone, new: str) -> bytes:
    return subprocess.run(
        ["git", "pack-objects", "--stdout", "--revs"],
        cwd=clone.folder,
        input=f"{new}\n".encode(),
        capture_output=True,
        check=True,
    ).stdout
