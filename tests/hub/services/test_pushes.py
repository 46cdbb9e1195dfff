from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO

import pytest

from hub.errors import BadObject, RefExists
from hub.git.objects import Commit, Entry, Kind, Signature, Tag, build_tree, hash_object, parse_tree
from hub.git.refs import RefUpdate
from hub.models import PendingIndex, Repo, sql
from hub.names import EntryPath, RevisionName
from hub.queries import history
from hub.queries.objects import read_raw
from hub.services import commits, fsck, indexing, pushes
from hub.services.commits import Message, PutFile
from hub.services.fsck import Scope
from hub.services.push_intake import PushedCommit
from hub.services.push_rules import RefsRefused
from hub.services.pushes import ends_of, order_commits
from tests.cast import Cast, signed_in
from tests.hub.git.packs import delta, pack, ref_delta, whole

pytestmark = pytest.mark.django_db
MAIN = RevisionName("main")
MAIN_REF = "refs/heads/main"
WHEN = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def repo(cast: Cast) -> Repo:
    return cast.repo()


def land(cast: Cast, repo: Repo, *paths: str, content: bytes = b"x") -> bytes:
    """A commit by the API."""
    return commits.commit(
        repo=repo,
        branch=MAIN,
        operations=[PutFile(EntryPath(path), content) for path in paths],
        message=Message("by the API"),
        by=signed_in(cast.ada),
    )


def tree_of(repo: Repo, commit: bytes) -> bytes:
    found = history.commit_by_oid(repo.pk, commit)
    assert found is not None
    return read_raw(repo.pk, found.tree)[1]


def commit_of(tree: bytes, *parents: bytes, message: str = "pushed") -> bytes:
    return bytes(Commit(tree, parents, Signature("Ada", "ada@example.org", WHEN), message))


def push(cast: Cast, repo: Repo, entries: Iterable[bytes], *updates: RefUpdate) -> None:
    pushes.push(repo=repo, updates=updates, source=BytesIO(pack(entries)), by=signed_in(cast.ada))


def head_of(repo: Repo, ref: str = MAIN_REF) -> bytes | None:
    row = sql.row("SELECT oid FROM git_ref WHERE repo_id = %s AND name = %s", [repo.pk, ref])
    return row[0] if row else None


def is_dirty(repo: Repo) -> bool:
    return Repo.objects.get(pk=repo.pk).dirty


def faults(repo: Repo) -> list[str]:
    return [found.what for found in fsck.find(Scope((repo,), deep=True))]


def edited(tree: bytes, name: bytes, content: bytes) -> bytes:
    entries = parse_tree(tree)
    oid = hash_object(Kind.BLOB, content)
    entries[name] = entries.get(name, next(iter(entries.values())))._replace(oid=oid)
    return build_tree(entries)


def one_edit(repo: Repo, parent: bytes, number: int) -> tuple[list[bytes], bytes]:
    """The entries of a pack that changes one file of ``parent``, and the new commit."""
    content = b"edit %d" % number
    tree = edited(tree_of(repo, parent), b"file", content)
    commit = commit_of(hash_object(Kind.TREE, tree), parent)
    parts = [whole(Kind.BLOB, content), whole(Kind.TREE, tree), whole(Kind.COMMIT, commit)]
    return parts, hash_object(Kind.COMMIT, commit)


def test_a_push_moves_a_branch_and_leaves_nothing_behind(cast: Cast, repo: Repo) -> None:
    before = head_of(repo)
    assert before is not None
    entries, new = one_edit(repo, before, 1)

    push(cast, repo, entries, RefUpdate(MAIN_REF, before, new))

    assert head_of(repo) == new
    assert not is_dirty(repo)
    assert faults(repo) == []


def is_delta(repo: Repo, tree: bytes) -> bool:
    query = "SELECT base IS NOT NULL FROM git_object WHERE repo_id = %s AND oid = %s"
    return sql.row(query, [repo.pk, hash_object(Kind.TREE, tree)]) == (True,)


def test_a_tree_is_never_two_deltas_away(cast: Cast, repo: Repo) -> None:
    names = [f"file-{number:03}" for number in range(100)]
    land(cast, repo, *names)
    before = land(cast, repo, "file-050", content=b"other")
    known = tree_of(repo, before)
    new = edited(known, b"file-051", b"new")
    commit = commit_of(hash_object(Kind.TREE, new), before)
    entries = [
        whole(Kind.TREE, known),
        ref_delta(hash_object(Kind.TREE, known), delta(known, new)),
        whole(Kind.COMMIT, commit),
    ]
    made = hash_object(Kind.COMMIT, commit)

    push(cast, repo, [*entries, whole(Kind.BLOB, b"new")], RefUpdate(MAIN_REF, before, made))

    assert [is_delta(repo, known), is_delta(repo, new)] == [True, False]
    assert tree_of(repo, made) == new
    assert faults(repo) == []


def test_what_no_ref_comes_to_is_noted_as_garbage(cast: Cast, repo: Repo) -> None:
    before = head_of(repo)
    assert before is not None
    entries, new = one_edit(repo, before, 1)

    push(cast, repo, [*entries, whole(Kind.BLOB, b"stray")], RefUpdate(MAIN_REF, before, new))

    assert is_dirty(repo)
    assert faults(repo) == []


def test_a_branch_that_catches_up_makes_no_garbage(cast: Cast, repo: Repo) -> None:
    before = head_of(repo)
    assert before is not None
    entries, new = one_edit(repo, before, 1)
    push(cast, repo, entries, RefUpdate("refs/heads/dev", None, new))

    push(cast, repo, [], RefUpdate(MAIN_REF, before, new))
    forward = is_dirty(repo)
    push(cast, repo, [], RefUpdate(MAIN_REF, new, before))

    assert (forward, is_dirty(repo)) == (False, True)


def test_a_branch_and_a_tag_take_turns_as_folders(cast: Cast, repo: Repo) -> None:
    head = head_of(repo)
    push(cast, repo, [], RefUpdate("refs/heads/dev", None, head))

    with pytest.raises(RefExists, match="refs/heads/dev is in the way of refs/heads/dev/one"):
        push(cast, repo, [], RefUpdate("refs/heads/dev/one", None, head))
    push(
        cast,
        repo,
        [],
        RefUpdate("refs/heads/dev", head, None),
        RefUpdate("refs/heads/dev/one", None, head),
    )

    assert head_of(repo, "refs/heads/dev/one") == head


def test_a_tag_names_what_it_says(cast: Cast, repo: Repo) -> None:
    head = head_of(repo)
    assert head is not None
    blob = whole(Kind.BLOB, b"x")
    lie = bytes(Tag(hash_object(Kind.BLOB, b"x"), "v1", Signature("A", "a@b", WHEN), "m"))
    tree = hash_object(Kind.TREE, tree_of(repo, head))

    with pytest.raises(BadObject, match="named as a commit, but is none"):
        push(
            cast,
            repo,
            [blob, whole(Kind.TAG, lie)],
            RefUpdate("refs/tags/v1", None, hash_object(Kind.TAG, lie)),
        )
    with pytest.raises(BadObject, match="neither in the push nor in the repo"):
        push(cast, repo, [], RefUpdate("refs/tags/v1", None, tree))


def test_a_moved_branch_is_told_and_nothing_is_written(cast: Cast, repo: Repo) -> None:
    before = head_of(repo)
    assert before is not None
    entries, new = one_edit(repo, before, 1)
    land(cast, repo, "meanwhile")
    count = sql.row("SELECT count(*) FROM git_object WHERE repo_id = %s", [repo.pk])

    with pytest.raises(RefsRefused) as refusal:
        push(cast, repo, entries, RefUpdate(MAIN_REF, before, new))

    assert refusal.value.reasons == {MAIN_REF: "fetch first"}
    assert sql.row("SELECT count(*) FROM git_object WHERE repo_id = %s", [repo.pk]) == count


@pytest.fixture
def long_push(cast: Cast, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """More commits than are indexed at once; their ids, oldest first."""
    monkeypatch.setattr(pushes, "INDEXED_AT_ONCE", 3)
    monkeypatch.setattr(indexing, "COMMITS_AT_A_TIME", 2)
    before = parent = head_of(repo)
    assert parent is not None
    tree = tree_of(repo, parent)
    entries: list[bytes] = []
    made: list[bytes] = []
    for number in range(7):
        content = b"%d" % number
        tree = edited(tree, b"file-%d" % (number % 3), content)
        commit = commit_of(hash_object(Kind.TREE, tree), parent)
        entries += [whole(Kind.BLOB, content), whole(Kind.TREE, tree), whole(Kind.COMMIT, commit)]
        parent = hash_object(Kind.COMMIT, commit)
        made.append(parent)
    push(cast, repo, entries, RefUpdate(MAIN_REF, before, parent))
    return made


def last_commits(repo: Repo) -> dict[str, bytes]:
    head = history.resolve(repo, MAIN)
    names = [".gitattributes", "file-0", "file-1", "file-2"]
    return {name: one.oid for name, one in history.last_commits(repo.pk, head, "", names).items()}


def test_a_long_push_tells_no_last_commits_until_all_are_known(
    repo: Repo, long_push: list[bytes]
) -> None:
    assert last_commits(repo) == {}
    assert faults(repo) == []

    assert indexing.index_pending() == len(long_push)

    found = last_commits(repo)
    assert [found[f"file-{n}"] for n in range(3)] == [long_push[6], long_push[4], long_push[5]]
    assert faults(repo) == []
    assert not PendingIndex.objects.exists()


def test_indexing_that_was_stopped_goes_on_where_it_was(repo: Repo, long_push: list[bytes]) -> None:
    waiting = PendingIndex.objects.get()

    assert indexing._index_some(waiting.pk, repo.pk) == 2
    assert PendingIndex.objects.get().next_pos == waiting.next_pos + 2
    assert faults(repo) == []
    assert indexing.index_pending() == 5


def test_what_was_before_a_long_push_keeps_its_last_commits(
    cast: Cast, repo: Repo, long_push: list[bytes]
) -> None:
    first = history.commit_by_oid(repo.pk, long_push[0])
    assert first is not None

    before = history.commit_by_oid(repo.pk, first.parents[0])

    assert before is not None
    assert history.last_commits(repo.pk, before, "", [".gitattributes"])


def graph(**parents: str) -> dict[bytes, PushedCommit]:
    return {
        name.encode(): PushedCommit(b"", tuple(one.encode() for one in names))
        for name, names in parents.items()
    }


def test_commits_come_after_their_first_parents_in_chains() -> None:
    commits_ = graph(a="", b="a", c="b", x="b", y="x", m="cy", n="m")

    assert order_commits(commits_, [b"n"]) == [b"a", b"b", b"c", b"m", b"n", b"x", b"y"]
    assert order_commits(commits_, [b"y", b"n"])[:4] == [b"a", b"b", b"x", b"y"]
    assert order_commits(commits_, [b"elsewhere"]) == []


def test_a_walk_ends_where_the_pack_ends() -> None:
    assert ends_of(graph(c="bz", b="a"), b"c") == {b"a", b"z"}
    assert ends_of(graph(c="b"), b"elsewhere") == {b"elsewhere"}


def folder(name: bytes, tree: bytes) -> bytes:
    return build_tree({name: Entry(b"40000", hash_object(Kind.TREE, tree))})


def test_a_link_is_judged_by_where_it_comes_to_lie(cast: Cast, repo: Repo) -> None:
    """The tree that holds it is not pushed again: only its place is new."""
    before = head_of(repo)
    assert before is not None
    target = b"../../x"
    inner = build_tree({b"link": Entry(b"120000", hash_object(Kind.BLOB, target))})
    middle = folder(b"b", inner)
    deep = folder(b"a", middle)
    first = commit_of(hash_object(Kind.TREE, deep), before)
    second = commit_of(hash_object(Kind.TREE, middle), hash_object(Kind.COMMIT, first))
    entries = [whole(Kind.TREE, tree) for tree in (inner, middle, deep)]
    landed, refused = hash_object(Kind.COMMIT, first), hash_object(Kind.COMMIT, second)

    push(
        cast,
        repo,
        [*entries, whole(Kind.BLOB, target), whole(Kind.COMMIT, first)],
        RefUpdate(MAIN_REF, before, landed),
    )
    with pytest.raises(BadObject, match="b/link is refused: it leads out of the repo"):
        push(cast, repo, [whole(Kind.COMMIT, second)], RefUpdate(MAIN_REF, landed, refused))

    assert head_of(repo) == landed
    assert faults(repo) == []


@pytest.mark.parametrize(
    ("email", "is_known"),
    [("Ada@Example.org", True), ("{}@users.noreply.weighhouse", True), ("bob@example.org", False)],
)
def test_a_pusher_is_the_author_of_commits_with_their_own_address(
    cast: Cast, repo: Repo, email: str, *, is_known: bool
) -> None:
    before = head_of(repo)
    assert before is not None
    cast.ada.email = "ada@example.org"
    signature = Signature("Ada", email.format(cast.ada.name), WHEN)
    tree = history.commits_by_oid(repo.pk, [before])[before].tree
    raw = bytes(Commit(tree, (before,), signature, "mine"))
    new = hash_object(Kind.COMMIT, raw)

    push(cast, repo, [whole(Kind.COMMIT, raw)], RefUpdate(MAIN_REF, before, new))

    found = history.commit_by_oid(repo.pk, new)
    assert found is not None
    assert found.author_id == (cast.ada.pk if is_known else None)
