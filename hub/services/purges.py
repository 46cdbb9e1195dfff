"""Delete large files from a repo for good: from its branches, and from what it may serve."""

from collections.abc import Iterable

from django.db import transaction

from hub.git.refs import BRANCHES
from hub.models import PurgedFile, Repo
from hub.names import EntryPath, RevisionName
from hub.queries.blobs import held
from hub.queries.large_files import places_of
from hub.services import blobs, commits
from hub.services.commits import DeleteFile, Message
from teams.policies import Principal


def purge(*, repo: Repo, digests: Iterable[bytes], by: Principal) -> None:
    """Delete large files wherever a branch has them, then let the repo forget their bytes.

    Commits of the past keep their ids, and with them the pointers; what these point to is gone.
    Bytes that no other repo holds are collected later.
    """
    gone = set(digests)
    paths: dict[str, set[str]] = {}
    for places in places_of(repo, gone).values():
        for place in places:
            paths.setdefault(place.ref, set()).add(place.path)
    for ref, names in paths.items():
        commits.commit(
            repo=repo,
            branch=RevisionName.parse(ref.removeprefix(BRANCHES)),
            operations=[DeleteFile(EntryPath.parse(name)) for name in sorted(names)],
            message=Message(f"Delete {len(names)} large files for good"),
            by=by,
        )
    _forget(repo, gone, by)


@transaction.atomic
def _forget(repo: Repo, gone: set[bytes], by: Principal) -> None:
    PurgedFile.objects.bulk_create(
        [PurgedFile(repo=repo, sha256=sha256, purged_by=by.user) for sha256 in held(repo.pk, gone)],
        ignore_conflicts=True,
    )
    blobs.let_go(repo=repo, digests=gone)
