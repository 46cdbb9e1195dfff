"""A folder of 1,000 files with the last commit of each: our index, or a walk by pygit2?"""

import json
import random
import shutil
from functools import partial
from pathlib import Path

import inside
import pygit2
from clients import USER, Client
from django.db import connection
from measure import Table, Target, in_turn, options, sampled, seconds
from server import Server

from hub.models import Repo, sql
from hub.names import EntryPath, RepoKind, RepoName, RevisionName
from hub.queries.objects import read_raw
from hub.queries.repos import find_repo
from hub.services.commits import Message, PutFile, commit
from teams.policies import Principal
from teams.queries import user_named

FILES = 1000  # with the .gitattributes of every new repo


def main() -> None:
    asked = options(__doc__ or "")
    commits = 300 if asked.quick else 5000
    with Server(inside.FOLDER) as server:
        client = server.client()
        repo = client.create_repo("deep")
        _fill(repo, commits)
        walked = _exported(repo, server.folder / "walked.git")
        client = server.client()  # the server has closed a connection that was silent for so long
        _check_same(client, repo, walked)
        ways = {
            "api": lambda: sampled(partial(_list, client, repo)),
            "walk": lambda: sampled(partial(_walk, walked)),
        }
        found = in_turn(ways, rounds=asked.rounds)
    table = Table(f"{FILES} entries with last commits, {commits:,} deep, {asked.rounds} rounds")
    times = [[1000 * one for one in seconds(found[name])] for name in ("api", "walk")]
    table.compare("HTTP : pygit2 walk", *times, unit="ms", target=Target(at_most=1 / 20))
    table.print()


def _fill(repo: str, count: int) -> None:
    """All files in one commit, then commits of one file each, by the product's own function."""
    row = _row(repo)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    rng = random.Random(1)
    by = Principal(user=user_named(USER), may_change=True)
    for number in range(count):
        chosen = range(FILES - 1) if number == 0 else [rng.randrange(FILES - 1)]
        files = [PutFile(EntryPath(_name(one)), rng.randbytes(64)) for one in chosen]
        message = Message(f"Change {number}")
        commit(repo=row, branch=RevisionName("main"), operations=files, message=message, by=by)


def _row(repo: str) -> Repo:
    found = find_repo(RepoKind.MODEL, RepoName.parse(repo))
    assert found is not None
    return found


def _name(number: int) -> str:
    return f"part-{number:04}.bin"


def _exported(repo: str, folder: Path) -> pygit2.Repository:
    """The same objects in a bare repository of git, packed as after a clone."""
    pk = _row(repo).pk
    target = pygit2.init_repository(folder, bare=True)
    for (oid,) in sql.rows("SELECT oid FROM git_object WHERE repo_id = %s", [pk]):
        kind, raw = read_raw(pk, oid)
        target.write(int(kind), raw)
    for ref, oid in sql.rows("SELECT name, oid FROM git_ref WHERE repo_id = %s", [pk]):
        target.references.create(ref, oid.hex())
    target.pack()
    for loose in folder.glob("objects/[0-9a-f][0-9a-f]"):
        shutil.rmtree(loose)
    return pygit2.Repository(folder)


def _check_same(client: Client, repo: str, walked: pygit2.Repository) -> None:
    listed = {entry["path"]: entry["lastCommit"]["id"] for entry in json.loads(_list(client, repo))}
    if listed != _walk(walked):
        raise SystemExit("The API and the walk do not agree")


def _list(client: Client, repo: str) -> bytes:
    return client.get(f"/api/models/{repo}/tree/main?expand=true&limit=1000")


def _walk(repo: pygit2.Repository) -> dict[str | None, str]:
    """Follow first parents from the head until each entry's last change is seen."""
    commit = repo.references["refs/heads/main"].peel(pygit2.Commit)
    waiting = {entry.name for entry in commit.tree}
    found: dict[str | None, str] = {}
    while waiting:
        for name in waiting & _changed(commit):
            found[name] = str(commit.id)
        waiting -= found.keys()
        if not commit.parents:
            break
        commit = commit.parents[0]
    return found


def _changed(commit: pygit2.Commit) -> set[str | None]:
    if not commit.parents:
        return {entry.name for entry in commit.tree}
    diff = commit.parents[0].tree.diff_to_tree(commit.tree)
    return {delta.new_file.path for delta in diff.deltas}


if __name__ == "__main__":
    main()
