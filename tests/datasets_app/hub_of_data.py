"""A dataset repo whose commits are worked off at once, by the workers' own code."""

from collections.abc import Mapping

from datasets_app.models import Snapshot
from datasets_app.queries.splits import snapshot_of
from hub.git.refs import BRANCHES
from hub.models import Repo
from hub.names import EntryPath, RepoKind, RepoName, RevisionName
from hub.queries.history import ref_oid
from hub.services import commits, repos
from hub.services.commits import DeleteFile, Message, Operation, PutFile
from hub.services.working import work_off
from teams.policies import Principal
from tests.cast import Cast


def dataset(cast: Cast, name: str = "ada/rows", *, visibility: str = "public") -> Repo:
    by = Principal(cast.ada, may_change=True)
    return repos.create(
        kind=RepoKind.DATASET, name=RepoName.parse(name), by=by, visibility=visibility
    )


def put(cast: Cast, repo: Repo, files: Mapping[str, bytes | None]) -> bytes:
    """Commit these files (None: deleted); answer the commit."""
    operations: list[Operation] = [
        DeleteFile(EntryPath.parse(path))
        if content is None
        else PutFile(EntryPath.parse(path), content)
        for path, content in files.items()
    ]
    return commits.commit(
        repo=repo,
        branch=RevisionName("main"),
        operations=operations,
        message=Message("Change files"),
        by=Principal(cast.ada, may_change=True),
    )


def work() -> dict[str, int]:
    """Do all that waits; answer how many jobs each queue had."""
    done = {"cpu": 0, "heavy": 0}
    while sum(_one(queue, done) for queue in done):
        pass
    return done


def _one(queue: str, done: dict[str, int]) -> bool:
    found = work_off(queue)
    done[queue] += found
    return found


def snapshot(repo: Repo) -> Snapshot:
    """What the head of the repo comes to."""
    head = ref_oid(repo.pk, BRANCHES + "main")
    assert head is not None
    return snapshot_of(repo.pk, head)
