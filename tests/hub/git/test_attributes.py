import random
import subprocess
import time
from pathlib import Path

import pytest

from hub.git.attributes import (
    Attributes,
    IgnoreRules,
    default_attributes,
    is_binary,
    upload_mode,
)
from hub.git.wildmatch import Pattern
from hub.names import RepoKind

PATHS = [
    "model.bin",
    "a/model.bin",
    "a/b/c/model.bin",
    "model.bin/inside.txt",
    "saved_model/x",
    "saved_model/a/b.pb",
    "b/saved_model/x",
    "run.tfevents.1",
    "README.md",
    "a b.txt",
    "ä.txt",
    "!x.txt",
    "#x.txt",
    "foo",
    "foo/bar",
    "foo/bar/baz.tar.gz",
    "doc/foo/bar",
    "x.LFS.y",
    "x.lfs.y",
    "a[1].txt",
    "a1.txt",
    "a-.txt",
    "\\.txt",
    "build/keep.txt",
    "build/drop.txt",
    "tab\there",
    ".hidden",
    "abcabc",
    "aXbXc",
]

ATTRIBUTES = [
    "*.bin filter=lfs",
    "*.bin filter=lfs\nmodel.bin -filter",
    "*.bin filter=lfs\n/model.bin !filter",
    "model.bin filter=lfs\n*.bin filter=other",
    "*.bin filter=lfs -filter",
    "*.bin -filter filter=lfs",
    "*.bin filter",
    "/model.bin filter=lfs",
    "a/*.bin filter=lfs",
    "a/** filter=lfs",
    "a/**/model.bin filter=lfs",
    "**/model.bin filter=lfs",
    "saved_model/**/* filter=lfs",
    "saved_model filter=lfs",
    "saved_model/ filter=lfs",
    "foo/* filter=lfs",
    '"a b.txt" filter=lfs',
    '"\\303\\244.txt" filter=lfs',
    '"tab\\there" filter=lfs',
    '"unclosed filter=lfs',
    "ä.txt filter=lfs",
    "!*.bin filter=lfs",
    "#*.bin filter=lfs",
    "\\#x.txt filter=lfs",
    "\\!x.txt filter=lfs",
    "a[0-9].txt filter=lfs",
    "a[!0-9].txt filter=lfs",
    "a\\[1\\].txt filter=lfs",
    "a[[:digit:]].txt filter=lfs",
    "a[1 filter=lfs",
    "\\\\.txt filter=lfs",
    "? filter=lfs\n??? filter=lfs",
    "*.bin filter=lfs =bad",
    "*.bin filter=lfs\r\nfoo filter=lfs\r\n",
    "\ufeff*.bin filter=lfs",
    "  *.bin\tfilter=lfs",
    "* filter=lfs",
    "** filter=lfs",
    "/** filter=lfs",
    "*.bin diff=lfs",
    "*.bin" + " x" * 1030 + " filter=lfs",
    default_attributes(RepoKind.MODEL),
    default_attributes(RepoKind.DATASET),
]

IGNORES = [
    "*.txt",
    "*.txt\n!a1.txt",
    "build/\n!build/keep.txt",
    "build/*\n!build/keep.txt",
    "foo",
    "foo/",
    "/foo",
    "foo/bar",
    "foo/*",
    "**/bar",
    "foo/**",
    "foo/**/baz.tar.gz",
    "# comment\n\\#x.txt",
    "\\!x.txt",
    "a b.txt  ",
    "a1.txt\\ ",
    "a1.txt \r\nfoo \r\n",
    "*\n!*/\n!*.bin",
    "*\n!model.bin",
    "/*\n!/a\n/a/*\n!/a/b",
    ".*",
    "!",
    "/",
    "model.bin/",
    "\ufeff*.txt",
    "a[",
    "doc//foo",
]


@pytest.fixture
def work_tree(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def git(work_tree: Path, *arguments: str, paths: list[str]) -> str:
    command = ["git", "-C", str(work_tree), "-c", "core.excludesFile=", *arguments, "-z", "--stdin"]
    sent = "\0".join(paths).encode() + b"\0"
    return subprocess.run(command, input=sent, capture_output=True, check=False).stdout.decode()


def tracked_according_to_git(work_tree: Path, text: str) -> set[str]:
    (work_tree / ".gitattributes").write_bytes(text.encode())
    fields = git(work_tree, "check-attr", "filter", paths=PATHS).split("\0")
    return {path for path, value in zip(fields[::3], fields[2::3], strict=False) if value == "lfs"}


def ignored_according_to_git(work_tree: Path, text: str) -> set[str]:
    (work_tree / ".gitignore").write_bytes(text.encode())
    return set(git(work_tree, "check-ignore", "--no-index", paths=PATHS).split("\0")) - {""}


@pytest.mark.parametrize("text", ATTRIBUTES)
def test_lfs_tracking_is_what_git_says(text: str, work_tree: Path) -> None:
    attributes = Attributes.parse(text)

    ours = {path for path in PATHS if attributes.tracks_with_lfs(path)}

    assert ours == tracked_according_to_git(work_tree, text)


@pytest.mark.parametrize("text", IGNORES)
def test_ignoring_is_what_git_says(text: str, work_tree: Path) -> None:
    rules = IgnoreRules.parse(text)

    ours = {path for path in PATHS if rules.ignores(path)}

    assert ours == ignored_according_to_git(work_tree, text)


def test_random_globs_match_what_git_matches(work_tree: Path) -> None:
    source = random.Random(7)
    pieces = ["a", "b", "*", "**", "?", "/", "[ab]", "[!a]", "[a-c]", "[]a]", "\\a", ".", "/**/"]
    globs = {"".join(source.choices(pieces, k=source.randint(1, 6))) for _ in range(1500)}
    usable = sorted(glob for glob in globs if not glob.endswith("/"))
    paths = sorted(
        {"/".join(source.choices(["a", "b", "ab", "c.a", "aab"], k=n % 4 + 1)) for n in range(60)}
    )
    lines = [f"{glob} rule{number}\n" for number, glob in enumerate(usable)]
    (work_tree / ".gitattributes").write_text("".join(lines))
    fields = git(work_tree, "check-attr", "-a", paths=paths).split("\0")
    theirs = {(path, rule) for path, rule in zip(fields[::3], fields[1::3], strict=False)}

    patterns = [(f"rule{number}", Pattern.parse(glob)) for number, glob in enumerate(usable)]
    ours = {(path, rule) for rule, pattern in patterns for path in paths if pattern.matches(path)}

    assert ours == theirs


def test_hostile_glob_takes_linear_time() -> None:
    pattern = Pattern.parse("*a" * 100 + "b/" + "**/" * 60 + "x")
    started = time.perf_counter()

    assert not pattern.matches("a" * 255 + "/" + "y/" * 60 + "z")

    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("path", "size", "sample", "mode"),
    [
        ("weights.bin", 5, b"tiny", "lfs"),
        ("weights.bin", 0, b"", "regular"),
        ("notes.txt", 9 * 1000 * 1000, b"text", "regular"),
        ("notes.txt", 10 * 1024 * 1024, b"text", "regular"),
        ("notes.txt", 10 * 1024 * 1024 + 1, b"text", "lfs"),
        ("icon.png", 4000, b"\x89PNG\x00", "regular"),
        ("photo.png", 2 * 1024 * 1024, b"\x89PNG\x00", "lfs"),
        ("big.csv", 2 * 1024 * 1024, "grün,".encode(), "regular"),
    ],
)
def test_upload_mode_follows_attributes_then_size_then_content(
    path: str, size: int, sample: bytes, mode: str
) -> None:
    attributes = Attributes.parse(default_attributes(RepoKind.MODEL))

    assert upload_mode(path, size, sample, attributes) == mode


def test_text_cut_within_a_character_is_still_text() -> None:
    assert not is_binary(("x" * 511 + "ü").encode()[:512])


def test_pictures_go_to_large_storage_in_datasets_only() -> None:
    of_models = Attributes.parse(default_attributes(RepoKind.MODEL))
    of_datasets = Attributes.parse(default_attributes(RepoKind.DATASET))

    assert not of_models.tracks_with_lfs("cat.png")
    assert of_datasets.tracks_with_lfs("cat.png")
