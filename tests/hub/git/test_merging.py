"""Trees merged by path: what one side changed is taken, what both changed is a conflict."""

from collections.abc import Collection, Mapping, Sequence

import pytest

from hub.errors import BadPath
from hub.git.merging import merge
from hub.git.objects import FILE_MODE, TREE_MODE, Entry, Kind, Tree, build_tree, hash_object

Files = Mapping[str, str]


class Trees:
    """Trees in memory, made of paths and what they hold."""

    def __init__(self) -> None:
        self._trees: dict[bytes, Tree] = {}

    def add(self, files: Files) -> bytes:
        entries: Tree = {}
        folders: dict[str, dict[str, str]] = {}
        for path, content in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(name, {})[rest] = content
            else:
                entries[name.encode()] = entry(content)
        for name, inside in folders.items():
            entries[name.encode()] = Entry(TREE_MODE, self.add(inside))
        oid = hash_object(Kind.TREE, build_tree(entries))
        self._trees[oid] = entries
        return oid

    def read(self, oids: Collection[bytes]) -> Mapping[bytes, Tree]:
        return {oid: self._trees[oid] for oid in oids}


def entry(content: str) -> Entry:
    return Entry(FILE_MODE, hash_object(Kind.BLOB, content.encode()))


def merged(bases: Sequence[Files], ours: Files, theirs: Files) -> tuple[dict[str, str], list[str]]:
    """What changes in our tree, and what is in conflict."""
    trees = Trees()
    found = merge(
        trees.read,
        bases=[trees.add(base) for base in bases],
        ours=trees.add(ours),
        theirs=trees.add(theirs),
    )
    names = {entry(content): content for side in (ours, theirs) for content in side.values()}
    changes = {path: names[one] if one else "" for path, one in found.changes.items()}
    return changes, found.conflicts


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "changes", "conflicts"),
    [
        ({"a": "1"}, {"a": "1"}, {"a": "2"}, {"a": "2"}, []),
        ({"a": "1"}, {"a": "2"}, {"a": "1"}, {}, []),
        ({"a": "1"}, {"a": "2"}, {"a": "2"}, {}, []),
        ({"a": "1"}, {"a": "2"}, {"a": "3"}, {}, ["a"]),
        ({"a": "1"}, {"a": "1"}, {}, {"a": ""}, []),
        ({"a": "1"}, {"a": "2"}, {}, {}, ["a"]),
        ({"a": "1"}, {}, {"a": "2"}, {}, ["a"]),
        ({}, {"a": "1"}, {"b": "1"}, {"b": "1"}, []),
        ({}, {"a": "1"}, {"a": "2"}, {}, ["a"]),
    ],
)
def test_a_file_comes_from_the_side_that_changed_it(
    base: Files, ours: Files, theirs: Files, changes: Files, conflicts: Sequence[str]
) -> None:
    assert merged([base], ours, theirs) == (changes, conflicts)


def test_files_of_one_folder_are_merged_one_by_one() -> None:
    base = {"d/a": "1", "d/b": "1", "d/c": "1"}

    found = merged([base], base | {"d/a": "2"}, {"d/b": "2", "d/a": "1"})

    assert found == ({"d/b": "2", "d/c": ""}, [])


def test_a_folder_that_they_deleted_goes_but_for_what_we_changed() -> None:
    base = {"d/a": "1", "d/b": "1", "e": "1"}

    found = merged([base], base | {"d/a": "2", "d/new": "1"}, {"e": "1"})

    assert found == ({"d/b": ""}, ["d/a"])


def test_a_folder_takes_the_place_of_a_file_and_the_other_way_round() -> None:
    base = {"a": "1", "d/x": "1", "d/y": "1"}

    found = merged([base], base, {"a/x": "2", "d": "3"})

    assert found == ({"a": "", "a/x": "2", "d": "3", "d/x": "", "d/y": ""}, [])


def test_a_folder_where_we_changed_files_is_not_replaced_by_a_file() -> None:
    base = {"d/x": "1"}

    assert merged([base], {"d/x": "2"}, {"d": "3"}) == ({}, ["d"])


def test_without_a_base_only_what_both_have_differently_is_in_conflict() -> None:
    found = merged([], {"a": "1", "b": "1", "c": "1"}, {"a": "2", "b": "1", "d/e": "1"})

    assert found == ({"d/e": "1"}, ["a"])


def test_a_path_is_merged_only_if_all_bases_agree() -> None:
    ours, theirs = {"a": "2", "b": "2"}, {"a": "1", "b": "3"}

    found = merged([{"a": "1", "b": "2"}, {"a": "2", "b": "2"}], ours, theirs)

    assert found == ({"b": "3"}, ["a"])


def test_folders_deeper_than_a_path_may_be_are_refused() -> None:
    deep = "/".join("d" * 70)

    with pytest.raises(BadPath):
        merged([{}], {}, {deep: "1"})
