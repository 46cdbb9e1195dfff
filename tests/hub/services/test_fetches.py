"""What a fetch sends, compared with what the real git would send out of the same objects."""

import random
import subprocess
from pathlib import Path

import pytest
from django.db import connection

from hub.git.fetch_request import Deepening, FetchRequest, Filter
from hub.models import Repo, sql
from hub.names import EntryPath, RevisionName
from hub.queries import history
from hub.services import commits, refs
from hub.services.commits import Message, PutFile
from hub.services.fetches import fetch
from teams.errors import Invalid, NotFound
from tests.cast import Cast, signed_in
from tests.hub.services.git_export import export, run

pytestmark = pytest.mark.django_db(transaction=True)
N_COMMITS = 60


def land(cast: Cast, repo: Repo, number: int, branch: str) -> bytes:
    files = [(f"d{n % 5}/f{n}", f"{number}") for n in range(number % 4)]
    files += [(f"flat/{(number * 7 + n) % 60}", f"{n}") for n in range(3)]
    return commits.commit(
        repo=repo,
        branch=RevisionName(branch),
        operations=[
            PutFile(EntryPath(path), text.encode())
            for path, text in [*files, ("n.txt", f"{number} {branch}")]
        ],
        message=Message(f"Number {number}"),
        by=signed_in(cast.ada),
    )


def grown(cast: Cast) -> tuple[Repo, list[bytes]]:
    """A repo with a main line, a branch off its middle, and an annotated tag; and its commits."""
    repo = cast.repo()
    made = [land(cast, repo, number, "main") for number in range(N_COMMITS)]
    middle = history.resolve(repo, RevisionName(made[N_COMMITS // 2].hex()))
    refs.create_branch(repo=repo, branch=RevisionName("dev"), start=middle, by=cast.ada)
    made += [land(cast, repo, number, "dev") for number in range(N_COMMITS // 4)]
    refs.create_tag(repo=repo, tag=RevisionName("v1"), target=middle, message="1", by=cast.ada)
    return repo, made


def tips(repo: Repo) -> list[bytes]:
    return [oid for (oid,) in sql.rows("SELECT oid FROM git_ref WHERE repo_id = %s", [repo.pk])]


def stored(repo: Repo, condition: str = "true") -> set[str]:
    rows = sql.rows(f"SELECT oid FROM git_object WHERE repo_id = %s AND {condition}", [repo.pk])
    return {oid.hex() for (oid,) in rows}


def sent(repo: Repo, folder: Path, request: FetchRequest) -> set[str]:
    """The ids in the pack that answers ``request``, as the real git reads them."""
    request.done = True
    pack = fetch(repo=repo, request=request).pack
    assert pack is not None
    home = folder / "test.pack"
    home.write_bytes(pack.read())
    pack.close()
    run(folder, "index-pack", str(home))
    with home.with_suffix(".idx").open("rb") as index:
        told = subprocess.run(["git", "show-index"], stdin=index, capture_output=True, check=True)
    home.with_suffix(".idx").unlink()
    return {line.split()[1].decode() for line in told.stdout.splitlines()}


def needed(bare: Path, want: bytes, have: bytes) -> set[str]:
    told = run(bare, "rev-list", "--objects", want.hex(), f"^{have.hex()}")
    return {line.split()[0] for line in told.splitlines()}


@pytest.mark.parametrize("flags", [set(), {"ofs-delta"}], ids=["far", "near"])
def test_a_scan_and_a_walk_send_all_that_is_there(
    cast: Cast, tmp_path: Path, flags: set[str]
) -> None:
    repo, _made = grown(cast)

    scan = sent(repo, tmp_path, FetchRequest(wants=tips(repo), flags=flags))
    sql.run("UPDATE hub_repo SET dirty = true WHERE id = %s", [repo.pk])
    walk = sent(repo, tmp_path, FetchRequest(wants=tips(repo), flags=flags))

    assert scan == walk == stored(repo)


def test_what_trees_have_in_common_is_sent_though_they_take_turns(
    cast: Cast, tmp_path: Path
) -> None:
    repo = cast.repo()
    made = [land(cast, repo, 3, "main")]
    for turn in "010101":
        files = [PutFile(EntryPath(path), turn.encode()) for path in ("turn.txt", "d0/turn.txt")]
        # New with the first turn, and the same in all.
        files += [PutFile(EntryPath(path), b"same") for path in ("same.txt", "d1/same.txt")]
        made.append(
            commits.commit(
                repo=repo,
                branch=RevisionName("main"),
                operations=files,
                message=Message(turn),
                by=signed_in(cast.ada),
            )
        )
    sql.run("UPDATE hub_repo SET dirty = true WHERE id = %s", [repo.pk])
    (tmp_path / "bare").mkdir()
    bare = export(repo, tmp_path / "bare")

    whole = sent(repo, tmp_path, FetchRequest(wants=tips(repo)))
    rest = sent(repo, tmp_path, FetchRequest(wants=tips(repo), haves=made[:1]))

    assert whole == stored(repo)
    assert needed(bare, made[-1], made[0]) <= rest


@pytest.mark.parametrize("clocks", ["right", "wrong"])
def test_between_any_two_commits_all_that_is_needed_is_sent(
    cast: Cast, tmp_path: Path, clocks: str
) -> None:
    repo, made = grown(cast)
    (tmp_path / "bare").mkdir()
    bare = export(repo, tmp_path / "bare")
    if clocks == "wrong":
        query = "UPDATE git_commit SET created_at = now() - random() * interval '9 days' "
        sql.run(f"{query} WHERE repo_id = %s", [repo.pk])
    source = random.Random(3)
    too_much = 0

    for _ in range(25):
        want, have = source.sample(made, 2)
        brought = sent(repo, tmp_path, FetchRequest(wants=[want], haves=[have]))
        wanted = needed(bare, want, have)
        assert wanted <= brought
        too_much += len(brought - wanted)

    if clocks == "right":
        assert too_much < 25 * 3


@pytest.mark.parametrize(
    ("leave_out", "condition"),
    [
        (Filter(blob_limit=0), "kind <> 3"),
        (Filter(blob_limit=3), "(kind <> 3 OR size < 3)"),
        (Filter(trees=True), "kind IN (1, 4)"),
    ],
)
def test_a_filter_leaves_out_the_same_in_a_scan_and_in_a_walk(
    cast: Cast, tmp_path: Path, leave_out: Filter, condition: str
) -> None:
    repo = cast.repo()
    for number in range(6):
        land(cast, repo, number, "main")

    scan = sent(repo, tmp_path, FetchRequest(wants=tips(repo), filter=leave_out))
    sql.run("UPDATE hub_repo SET dirty = true WHERE id = %s", [repo.pk])
    walk = sent(repo, tmp_path, FetchRequest(wants=tips(repo), filter=leave_out))

    assert scan == walk == stored(repo, condition)


def test_a_tag_comes_along_with_the_commit_that_it_names(cast: Cast, tmp_path: Path) -> None:
    repo = cast.repo()
    oid = land(cast, repo, 1, "main")
    target = history.resolve(repo, RevisionName("main"))
    refs.create_tag(repo=repo, tag=RevisionName("v1"), target=target, message="1", by=cast.ada)

    without = sent(repo, tmp_path, FetchRequest(wants=[oid]))
    along = sent(repo, tmp_path, FetchRequest(wants=[oid], flags={"include-tag"}))

    assert along - without == stored(repo, "kind = 4")


def test_what_is_not_there_is_not_sent(cast: Cast) -> None:
    repo = cast.repo()
    nowhere = FetchRequest(wants=tips(repo), deepening=Deepening(without=["nowhere"]))

    with pytest.raises(NotFound, match="not our ref"):
        fetch(repo=repo, request=FetchRequest(wants=[b"\x01" * 20], done=True))
    with pytest.raises(Invalid, match="no ref"):
        fetch(repo=repo, request=nowhere)
    with pytest.raises(Invalid, match="wanted"):
        fetch(repo=repo, request=FetchRequest(done=True))


def test_the_snapshot_is_gone_when_the_pack_is_there(cast: Cast) -> None:
    repo = cast.repo()

    reply = fetch(repo=repo, request=FetchRequest(wants=tips(repo), done=True))

    assert reply.pack is not None
    assert reply.pack.read(4) == b"PACK"
    assert not connection.in_atomic_block
    reply.pack.close()
