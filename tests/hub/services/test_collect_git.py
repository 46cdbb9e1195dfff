"""Objects that no ref leads to are collected, and nothing else is."""

from io import BytesIO

import pytest
from django.utils import timezone

from hub.errors import BadObject, RevisionNotFound
from hub.git.objects import Kind, hash_object
from hub.git.refs import RefUpdate
from hub.models import PendingIndex, Repo, sql
from hub.names import EntryPath, RepoName, RevisionName
from hub.queries import history, marks, objects
from hub.queries.objects import read_raw
from hub.services import collect_git, commits, fsck, indexing, pushes, refs, repos
from hub.services import publish as publish_module
from hub.services.collect_git import Swept
from hub.services.commits import DeleteFile, Message, Operation, PutFile
from hub.services.fsck import Scope
from tests.cast import Cast, signed_in
from tests.hub.git.packs import pack, whole

pytestmark = pytest.mark.django_db
MAIN, DEV = RevisionName("main"), RevisionName("dev")


@pytest.fixture
def repo(cast: Cast) -> Repo:
    return cast.repo()


def land(cast: Cast, repo: Repo, *operations: Operation, on: RevisionName = MAIN) -> bytes:
    return commits.commit(
        repo=repo,
        branch=on,
        operations=operations,
        message=Message("a change"),
        by=signed_in(cast.ada),
    )


def put(path: str, content: bytes | str = "x") -> PutFile:
    return PutFile(EntryPath(path), content.encode() if isinstance(content, str) else content)


def branch_off(cast: Cast, repo: Repo, branch: RevisionName = DEV) -> None:
    start = history.resolve(repo, MAIN)
    refs.create_branch(repo=repo, branch=branch, start=start, by=cast.ada)


def sweep(repo: Repo, *, dry_run: bool = False) -> Swept:
    return collect_git.sweep(repo.pk, now=timezone.now(), dry_run=dry_run)


def oids(repo: Repo) -> set[bytes]:
    return {oid for (oid,) in sql.rows("SELECT oid FROM git_object WHERE repo_id = %s", [repo.pk])}


def count(table: str, repo: Repo) -> int:
    row = sql.row(f"SELECT count(*) FROM {table} WHERE repo_id = %s", [repo.pk])
    return int(row[0]) if row else 0


def faults(repo: Repo) -> list[str]:
    return [found.what for found in fsck.find(Scope((repo,), deep=True))]


def is_dirty(repo: Repo) -> bool:
    return Repo.objects.get(pk=repo.pk).dirty


def git_bytes(repo: Repo) -> int:
    return Repo.objects.get(pk=repo.pk).git_bytes


def test_a_deleted_branch_takes_its_objects_with_it(cast: Cast, repo: Repo) -> None:
    land(cast, repo, put("kept/one.txt", "one"))
    before, nbytes = oids(repo), git_bytes(repo)
    branch_off(cast, repo)
    land(cast, repo, put("gone/two.txt", "two"), put("kept/one.txt", "changed"), on=DEV)
    refs.delete_branch(repo=repo, branch=DEV, by=cast.ada)

    freed = sweep(repo).freed

    assert oids(repo) == before
    assert git_bytes(repo) == nbytes
    assert {kind: pile.objects for kind, pile in freed.items()} == {
        Kind.COMMIT: 1,
        Kind.TREE: 3,
        Kind.BLOB: 2,
    }
    assert not is_dirty(repo)
    assert faults(repo) == []


def test_a_dry_run_says_the_same_and_takes_nothing(cast: Cast, repo: Repo) -> None:
    branch_off(cast, repo)
    land(cast, repo, put("two.txt"), on=DEV)
    refs.delete_branch(repo=repo, branch=DEV, by=cast.ada)
    before = oids(repo)

    told = sweep(repo, dry_run=True)

    assert oids(repo) == before
    assert is_dirty(repo)
    assert sweep(repo) == told


def test_a_squashed_branch_loses_its_past_and_keeps_its_files(cast: Cast, repo: Repo) -> None:
    for number in range(5):
        land(cast, repo, put("file.txt", f"{number}"), put(f"n/{number}.txt"))
    refs.squash(repo=repo, branch=MAIN, message="all", by=cast.ada)

    sweep(repo)

    assert (count("git_commit", repo), count("git_line", repo)) == (1, 1)
    assert read_raw(repo.pk, hash_object(Kind.BLOB, b"4")) == (Kind.BLOB, b"4")
    assert hash_object(Kind.BLOB, b"3") not in oids(repo)
    assert faults(repo) == []
    land(cast, repo, put("file.txt", "next"))
    assert faults(repo) == []


def test_tags_and_what_they_name_stay(cast: Cast, repo: Repo) -> None:
    branch_off(cast, repo)
    tip = land(cast, repo, put("two.txt"), on=DEV)
    target = history.resolve(repo, DEV)
    refs.create_tag(repo=repo, tag=RevisionName("v1"), target=target, message="one", by=cast.ada)
    refs.delete_branch(repo=repo, branch=DEV, by=cast.ada)

    assert sweep(repo).freed == {}
    assert history.resolve(repo, RevisionName("v1")).oid == tip
    refs.delete_tag(repo=repo, tag=RevisionName("v1"), by=cast.ada)
    assert set(sweep(repo).freed) == {Kind.COMMIT, Kind.TREE, Kind.BLOB, Kind.TAG}
    assert faults(repo) == []


def test_a_line_is_gone_from_where_nothing_leads_to_it(cast: Cast, repo: Repo) -> None:
    for number in range(3):
        land(cast, repo, put(f"{number}.txt"))
    middle = history.log(repo.pk, history.resolve(repo, MAIN), 2)[-1]
    before = history.resolve(repo, MAIN)
    updates = [RefUpdate("refs/heads/main", before.oid, middle.oid)]
    pushes.push(repo=repo, updates=updates, source=BytesIO(pack([])), by=signed_in(cast.ada))

    sweep(repo)

    assert count("git_commit", repo) == 3
    assert count("path_change", repo) == 3
    land(cast, repo, put("again.txt"))
    assert history.resolve(repo, MAIN)[1:3] == (middle.line, middle.pos + 1)
    assert faults(repo) == []


def many(first: str) -> list[PutFile]:
    """So many files that their folder is worth a delta."""
    return [put(f"many/{number}.txt", first if number == 0 else "same") for number in range(60)]


def stored_as_deltas(repo: Repo) -> int:
    query = "SELECT count(*) FROM git_object WHERE repo_id = %s AND base IS NOT NULL"
    row = sql.row(query, [repo.pk])
    return int(row[0]) if row else 0


def test_trees_that_were_deltas_of_what_goes_are_stored_anew(cast: Cast, repo: Repo) -> None:
    land(cast, repo, *many("one"))
    land(cast, repo, *many("two"))
    assert stored_as_deltas(repo)
    refs.squash(repo=repo, branch=MAIN, message="all", by=cast.ada)

    sweep(repo)

    assert stored_as_deltas(repo) == 0
    assert hash_object(Kind.BLOB, b"one") not in oids(repo)
    assert faults(repo) == []


def test_of_several_such_trees_one_carries_the_others(cast: Cast, repo: Repo) -> None:
    land(cast, repo, *many("one"))
    for text in ("two", "three", "four"):
        land(cast, repo, *many(text))
        branch_off(cast, repo, RevisionName(text))
        refs.squash(repo=repo, branch=RevisionName(text), message=text, by=cast.ada)
    refs.squash(repo=repo, branch=MAIN, message="all", by=cast.ada)

    sweep(repo)

    assert stored_as_deltas(repo) == 2
    assert faults(repo) == []


def test_a_commit_is_sound_though_its_process_remembers_a_keyframe_that_went(
    cast: Cast, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(cast, repo, *many("one"))
    land(cast, repo, *many("two"))
    refs.squash(repo=repo, branch=MAIN, message="all", by=cast.ada)
    remembered = objects._TreeCache()
    tree = objects.read_tree(repo.pk, history.resolve(repo, MAIN).tree).entries[b"many"].oid
    monkeypatch.setattr(objects, "_cache", remembered)
    objects.read_tree(repo.pk, tree)
    monkeypatch.setattr(objects, "_cache", objects._TreeCache())
    sweep(repo)
    monkeypatch.setattr(objects, "_cache", remembered)

    land(cast, repo, *many("three"))

    assert faults(repo) == []


@pytest.mark.parametrize("meanwhile", ["a commit", "a push of what was garbage", "a deletion"])
def test_what_happens_while_marking_counts(
    cast: Cast, repo: Repo, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    branch_off(cast, repo)
    tip = land(cast, repo, put("two.txt", "two"), on=DEV)
    branch_off(cast, repo, RevisionName("other"))
    land(cast, repo, put("three.txt", "three"), on=RevisionName("other"))
    refs.delete_branch(repo=repo, branch=DEV, by=cast.ada)

    def mark_slowly(repo_id: int) -> object:
        marked = marks.mark(repo_id)
        if meanwhile == "a commit":
            land(cast, repo, put("meanwhile.txt"), put("new/file.txt"))
        elif meanwhile == "a deletion":
            refs.delete_branch(repo=repo, branch=RevisionName("other"), by=cast.ada)
        else:
            update = RefUpdate("refs/heads/back", None, tip)
            pushes.push(
                repo=repo, updates=[update], source=BytesIO(pack([])), by=signed_in(cast.ada)
            )
        return marked

    with monkeypatch.context() as patched:
        patched.setattr("hub.services.collect_git.mark", mark_slowly)
        first = sweep(repo)

    assert is_dirty(repo) == (meanwhile == "a deletion")
    assert (Kind.BLOB in first.freed) == (meanwhile != "a push of what was garbage")
    assert faults(repo) == []
    assert (Kind.BLOB in sweep(repo).freed) == (meanwhile == "a deletion")
    assert not is_dirty(repo)
    assert faults(repo) == []


def test_a_damaged_repo_is_left_as_it_is(cast: Cast, repo: Repo) -> None:
    branch_off(cast, repo)
    land(cast, repo, put("two.txt"), on=DEV)
    refs.delete_branch(repo=repo, branch=DEV, by=cast.ada)
    land(cast, repo, put("kept.txt", "kept"))
    lost = hash_object(Kind.BLOB, b"kept")
    sql.run("DELETE FROM git_object WHERE repo_id = %s AND oid = %s", [repo.pk, lost])
    before = oids(repo)

    assert sweep(repo).problem.startswith("damaged")
    assert oids(repo) == before
    assert is_dirty(repo)


def test_changes_still_to_be_found_go_with_their_commits(cast: Cast, repo: Repo) -> None:
    branch_off(cast, repo)
    tip = [history.commit_by_oid(repo.pk, land(cast, repo, put(f"{n}.txt"), on=DEV)) for n in "12"]
    places = [(row.line, row.pos) for row in tip if row]
    PendingIndex.objects.create(repo=repo, line=places[0][0], next_pos=1, last_pos=places[1][1])
    refs.delete_branch(repo=repo, branch=DEV, by=cast.ada)

    sweep(repo)

    left = list(PendingIndex.objects.values_list("line", "last_pos"))
    assert left in ([], [(1, 1)])
    indexing.index_pending()
    assert faults(repo) == []


def test_what_a_duplicate_brought_in_vain_goes(cast: Cast, repo: Repo) -> None:
    land(cast, repo, put("old.txt", "old"))
    land(cast, repo, DeleteFile(EntryPath("old.txt")), put("new.txt", "new"))
    copy = repos.duplicate(
        source=repo, to=RepoName("ada", "copy"), by=signed_in(cast.ada), visibility="public"
    )

    sweep(copy)

    assert hash_object(Kind.BLOB, b"old") not in oids(copy)
    assert hash_object(Kind.BLOB, b"old") in oids(repo)
    assert faults(copy) == []


def test_a_commit_that_takes_its_own_file_back_makes_garbage(cast: Cast, repo: Repo) -> None:
    land(cast, repo, put("a.txt", "first"), put("a.txt", "second"))

    assert is_dirty(repo)
    assert sweep(repo).freed[Kind.BLOB].objects == 1
    assert faults(repo) == []


def test_a_commit_that_is_built_twice_leaves_nothing_of_the_first(
    cast: Cast, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = publish_module._heads

    def read_before_another(repo_id: int, refs: list[str]) -> object:
        monkeypatch.undo()
        seen = heads(repo_id, refs)
        land(cast, repo, put("first.txt"))
        return seen

    monkeypatch.setattr(publish_module, "_heads", read_before_another)
    land(cast, repo, put("second.txt"))

    assert not is_dirty(repo)
    assert sweep(repo).freed == {}
    assert faults(repo) == []


def test_no_branch_begins_at_a_commit_that_was_collected(cast: Cast, repo: Repo) -> None:
    branch_off(cast, repo)
    land(cast, repo, put("two.txt"), on=DEV)
    lost = history.resolve(repo, DEV)
    refs.delete_branch(repo=repo, branch=DEV, by=cast.ada)
    sweep(repo)

    with pytest.raises(RevisionNotFound):
        refs.create_branch(repo=repo, branch=DEV, start=lost, by=cast.ada)
    with pytest.raises(RevisionNotFound):
        refs.create_tag(repo=repo, tag=DEV, target=lost, message="", by=cast.ada)
    with pytest.raises(RevisionNotFound):
        refs.create_tag(repo=repo, tag=DEV, target=lost, message="one", by=cast.ada)


def test_what_is_pushed_again_after_it_was_collected_is_whole(cast: Cast, repo: Repo) -> None:
    before = history.resolve(repo, MAIN).oid
    branch_off(cast, repo)
    tip = land(cast, repo, put("two.txt", "two"), on=DEV)
    names = [tip, history.resolve(repo, DEV).tree, hash_object(Kind.BLOB, b"two")]
    entries = [whole(*read_raw(repo.pk, oid)) for oid in names]
    refs.delete_branch(repo=repo, branch=DEV, by=cast.ada)
    sweep(repo)

    update = RefUpdate("refs/heads/dev", None, tip)
    with pytest.raises(BadObject):
        pushes.push(
            repo=repo, updates=[update], source=BytesIO(pack(entries[:2])), by=signed_in(cast.ada)
        )
    pushes.push(repo=repo, updates=[update], source=BytesIO(pack(entries)), by=signed_in(cast.ada))

    assert history.resolve(repo, DEV).parents == [before]
    assert not is_dirty(repo)
    assert faults(repo) == []


def test_what_trees_have_in_common_stays_though_they_take_turns(cast: Cast, repo: Repo) -> None:
    land(cast, repo, put("same.txt", "same"), put("d/same.txt", "too"), put("d/turn.txt", "0"))
    for number in range(4):
        land(cast, repo, put("d/turn.txt", str((number + 1) % 2)))
    branch_off(cast, repo)
    land(cast, repo, put("d/turn.txt", "1"), on=DEV)
    before = oids(repo)
    Repo.objects.filter(pk=repo.pk).update(dirty=True)

    assert sweep(repo) == Swept({})
    assert oids(repo) == before
    assert faults(repo) == []
