import random
from collections.abc import Collection, Mapping
from itertools import pairwise

import pytest

from hub.errors import BadPath
from hub.git.objects import Entry, Kind, Tree, build_tree, hash_object, parse_tree
from hub.git.tree_diff import Pair, all_differences, differences

FILE, FOLDER, LINK = b"100644", b"40000", b"120000"


class Store(dict[bytes, Tree]):
    """Trees by id, and how often somebody came to read."""

    reads = 0

    def add(self, tree: Tree) -> bytes:
        raw = build_tree(tree)
        oid = hash_object(Kind.TREE, raw)
        self[oid] = parse_tree(raw)
        return oid

    def read(self, oids: Collection[bytes]) -> Mapping[bytes, Tree]:
        self.reads += 1
        return {oid: self[oid] for oid in oids}


def some_tree(store: Store, chance: random.Random, depth: int = 2) -> bytes:
    tree: Tree = {}
    for number in range(chance.randint(1, 4)):
        if depth and chance.random() < 0.5:
            tree[b"d%d" % number] = Entry(FOLDER, some_tree(store, chance, depth - 1))
        else:
            tree[b"f%d" % number] = Entry(FILE, bytes([chance.randrange(3)]) * 20)
    return store.add(tree)


def test_many_pairs_differ_as_each_by_itself() -> None:
    store, chance = Store(), random.Random(1)
    trees = [some_tree(store, chance) for _ in range(60)]
    pairs: list[Pair] = [(None, trees[0]), *pairwise(trees), (trees[-1], None)]

    apart = [differences(store.read, *pair) for pair in pairs]
    reads = store.reads
    together = list(all_differences(store.read, pairs))

    assert together == apart
    assert store.reads - reads < reads / 5


def test_links_are_told_by_their_place_nearest_to_the_root() -> None:
    store = Store()
    inner = store.add({b"link": Entry(LINK, b"l" * 20), b"file": Entry(FILE, b"f" * 20)})
    outer = store.add({b"a": Entry(FOLDER, inner), b"z": Entry(LINK, b"l" * 20)})
    links: dict[bytes, str] = {}

    differences(store.read, None, outer, links=links)

    assert links == {b"l" * 20: "z"}


def test_a_folder_in_too_many_places_is_refused() -> None:
    store = Store()
    oid = store.add({b"file": Entry(FILE, b"f" * 20)})
    for _ in range(6):
        oid = store.add({b"%d" % number: Entry(FOLDER, oid) for number in range(10)})

    with pytest.raises(BadPath, match="more than 1,000 paths"):
        differences(store.read, None, oid, most=1000)
