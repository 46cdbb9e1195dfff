"""What we take, `git fsck --strict` takes; and what it refuses, we refuse."""

import hashlib
import subprocess
import zlib
from pathlib import Path

import pytest

from hub.errors import BadObject
from hub.git.fsck import TreeChecker, check_commit, check_gitmodules, check_tag, is_gitmodules
from hub.git.objects import Kind, hash_object

OID = bytes.fromhex("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
EMPTY_TREE = hash_object(Kind.TREE, b"")


def entry(name: bytes, mode: bytes = b"100644", oid: bytes = OID) -> bytes:
    return mode + b" " + name + b"\0" + oid


UNNAMEABLE = {b"tab\there", b"line\nend", b"back\\slash", "\u202etxt.exe".encode()}
"""What git takes, but no path of ours may hold."""
NAMES = [
    b"plain.txt",
    "süß.txt".encode(),
    b"with space",
    b"tab\there",
    b"line\nend",
    b"back\\slash",
    "\u202etxt.exe".encode(),
    b".gitattributes",
    b".gitmodules",
    b".gitx",
    b".git2",
    b"git",
    b"git~2",
    b"a.git",
    b"...",
    b" ",
    b"con",
    b".",
    b"..",
    b"",
    b".git",
    b".GIT",
    b".Git",
    b"git~1",
    b"GIT~1",
    b".git ",
    b".git.",
    b".git...",
    b".git. .",
    b".git::$INDEX_ALLOCATION",
    b".git:x",
    b"a/b",
    b"/",
    ".g\u200cit".encode(),
    ".gi\ufefft".encode(),
    "\u200d.git".encode(),
    ".git\u206f".encode(),
    b"..\\.git",
    b"a\\.git\\b",
    b"x\\git~1",
    b".git\\hooks",
    b".gitmodules:x",
]
TREES = {
    "in order": entry(b"a") + entry(b"b"),
    "a folder after what it would be before": entry(b"a.b") + entry(b"a", b"40000", EMPTY_TREE),
    "out of order": entry(b"b") + entry(b"a"),
    "a folder out of order": entry(b"a", b"40000", EMPTY_TREE) + entry(b"a.b"),
    "the same twice": entry(b"a") + entry(b"a"),
    "a file and a folder": entry(b"a") + entry(b"a", b"40000", EMPTY_TREE),
    "a file and a folder apart": (entry(b"a") + entry(b"a.b") + entry(b"a", b"40000", EMPTY_TREE)),
    "an executable": entry(b"a", b"100755"),
    "a link": entry(b"a", b"120000"),
    "a submodule": entry(b"a", b"160000"),
    "a zero before the mode": entry(b"a", b"0100644"),
    "a folder as old tools write it": entry(b"a", b"040000", EMPTY_TREE),
    "no oid": entry(b"a", oid=bytes(20)),
    "cut": entry(b"a")[:-1],
    "no mode": entry(b"a", b""),
    "no octal mode": entry(b"a", b"100948"),
    "a linked .gitmodules": entry(b".gitmodules", b"120000"),
    "a linked .gitmodules on Windows": entry(b"gitmod~1", b"120000"),
    "a linked .gitmodules on HFS": entry(".gitmod\u200cules".encode(), b"120000"),
    "nothing": b"",
}
IDENT = b"A U Thor <a@example.org> 1700000000 +0100"
HEAD = b"tree " + EMPTY_TREE.hex().encode() + b"\n"


def commit(author: bytes = IDENT, committer: bytes = IDENT, rest: bytes = b"\nm\n") -> bytes:
    return HEAD + b"author " + author + b"\ncommitter " + committer + b"\n" + rest


COMMITS = {
    "plain": commit(),
    "no message": commit(rest=b"\n"),
    "no end of headers": commit(rest=b""),
    "signed": commit(rest=b"gpgsig -----BEGIN\n line\n -----END\nencoding latin-1\n\nm\n"),
    "no name": commit(b" <a@b> 1 +0000"),
    "no name and no space": commit(b"<a@b> 1 +0000"),
    "no mail": commit(b"A U Thor 1 +0000"),
    "an empty mail": commit(b"A <> 1 +0000"),
    "no space before the mail": commit(b"A<a@b> 1 +0000"),
    "a bad name": commit(b"A > <a@b> 1 +0000"),
    "a bad mail": commit(b"A <a<b> 1 +0000"),
    "no space before the date": commit(b"A <a@b>1 +0000"),
    "no date": commit(b"A <a@b>"),
    "zeroes before the date": commit(b"A <a@b> 01 +0000"),
    "zero": commit(b"A <a@b> 0 +0000"),
    "a date that is too late": commit(b"A <a@b> 99999999999999999999 +0000"),
    "a date before 1970": commit(b"A <a@b> -1 +0000"),
    "a bad zone": commit(b"A <a@b> 1 0000"),
    "a long zone": commit(b"A <a@b> 1 +00000"),
    "a bad committer": commit(committer=b"A <a@b> 1"),
    "two authors": commit().replace(b"\ncommitter", b"\nauthor " + IDENT + b"\ncommitter"),
    "no committer": HEAD + b"author " + IDENT + b"\n\nm\n",
    "no author": HEAD + b"committer " + IDENT + b"\n\nm\n",
    "no tree": commit().removeprefix(HEAD),
    "a short tree": b"tree 1234\n" + commit().removeprefix(HEAD),
    "a bad parent": HEAD + b"parent 12\n" + commit().removeprefix(HEAD),
    "NUL in the message": commit(rest=b"\nm\0m\n"),
    "NUL in the headers": commit(b"A\0 <a@b> 1 +0000"),
    "nothing": b"",
}


def tag(kind: bytes = b"commit", oid: bytes = OID, rest: bytes = b"\nm\n") -> bytes:
    head = b"object " + oid.hex().encode() + b"\ntype " + kind + b"\ntag v1\n"
    return head + b"tagger " + IDENT + b"\n" + rest


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fsck")
    subprocess.run(["git", "init", "-q", "--bare", "."], cwd=folder, check=True)
    subprocess.run(["git", "hash-object", "-w", "--stdin"], cwd=folder, input=b"", check=True)
    put(folder, "tree", b"")
    return folder


def put(folder: Path, word: str, raw: bytes) -> str:
    full = b"%s %d\0%s" % (word.encode(), len(raw), raw)
    oid = hashlib.sha1(full, usedforsecurity=False).hexdigest()
    home = folder / "objects" / oid[:2] / oid[2:]
    home.parent.mkdir(exist_ok=True)
    home.write_bytes(zlib.compress(full))
    return oid


def git_takes(folder: Path, word: str, raw: bytes) -> bool:
    oid = put(folder, word, raw)
    done = subprocess.run(
        ["git", "fsck", "--strict", "--no-dangling", oid],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    (folder / "objects" / oid[:2] / oid[2:]).unlink()
    return b"error" not in done.stderr


def we_take_tree(raw: bytes) -> bool:
    try:
        TreeChecker().fresh_entries(raw)
    except BadObject:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_names_are_taken_as_git_takes_them(git: Path, name: bytes) -> None:
    raw = entry(name)

    assert we_take_tree(raw) == (git_takes(git, "tree", raw) and name not in UNNAMEABLE)


@pytest.mark.parametrize("what", TREES)
def test_trees_are_taken_as_git_takes_them(git: Path, what: str) -> None:
    assert we_take_tree(TREES[what]) == git_takes(git, "tree", TREES[what])


def test_a_name_that_is_not_utf_8_is_refused_with_advice() -> None:
    with pytest.raises(BadObject, match="not UTF-8; rename"):
        TreeChecker().fresh_entries(entry(b"caf\xe9"))


def test_a_name_that_no_file_system_takes_is_refused() -> None:
    with pytest.raises(BadObject, match="longer than 255"):
        TreeChecker().fresh_entries(entry(b"x" * 256))


def test_an_entry_is_looked_at_once() -> None:
    checker = TreeChecker()

    first = checker.fresh_entries(entry(b"a") + entry(b"b"))
    second = checker.fresh_entries(entry(b"a") + entry(b"c"))

    assert [len(first), [name for _mode, name, _oid in second]] == [2, [b"c"]]


@pytest.mark.parametrize("what", COMMITS)
def test_commits_are_taken_as_git_takes_them(git: Path, what: str) -> None:
    raw = COMMITS[what]
    try:
        check_commit(raw)
        taken = True
    except BadObject:
        taken = False

    assert taken == git_takes(git, "commit", raw)


def test_a_commit_of_the_year_10000_is_refused() -> None:
    with pytest.raises(BadObject, match="year 9999"):
        check_commit(commit(b"A <a@b> 253402300800 +0000"))


def test_a_tag_names_a_commit_or_another_tag() -> None:
    check_tag(tag())
    check_tag(tag(b"tag"))

    for kind in (b"tree", b"blob"):
        with pytest.raises(BadObject, match="must name a commit"):
            check_tag(tag(kind))


@pytest.mark.parametrize("raw", [b"", tag()[:30], tag(rest=b"\n\0"), b"x" + tag()])
def test_a_malformed_tag_is_refused(raw: bytes) -> None:
    with pytest.raises(BadObject):
        check_tag(raw)


@pytest.mark.parametrize(
    "text",
    [
        '[submodule "../x"]\n',
        '[submodule "a/../../b"]\n',
        '[submodule "a\\\\..\\\\b"]\n',
        '[submodule "a"]\n\turl = -u./payload\n',
        '[submodule "a"]\n\tpath = "-x"\n',
        '[submodule "a"]\n\tupdate = !rm -rf /\n',
        '[submodule "a"] url = --upload-pack=x\n',
        '[submodule "a"]\n\turl = https://example.org/%0ahost=evil\n',
    ],
)
def test_an_attack_by_gitmodules_is_refused(text: str) -> None:
    with pytest.raises(BadObject, match="gitmodules is refused"):
        check_gitmodules(text.encode())


def test_an_honest_gitmodules_is_taken() -> None:
    check_gitmodules(b'[submodule "lib/a..b"]\n\tpath = lib\n\turl = https://example.org/a.git\n')
    assert is_gitmodules(b".gitmodules")
    assert not is_gitmodules(b".gitmodules.txt")
