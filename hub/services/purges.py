"""Delete large files from a repo for good: from its branches, and from what it may serve."""

from collections.abc import Collection, Iterable

from django.db import transaction

from hub.git.refs import BRANCHES
from hub.models import PurgedFile, Repo
from hub.names import EntryPath, RevisionName
from hub.policies import check_can
from hub.queries.blobs import held
from hub.queries.large_files import places_of
from hub.services import blobs, commits, rewriting
from hub.services.auditing import record_of
from hub.services.commits import DeleteFile, Message
from teams.policies import Principal
from teams.roles import Action

_MOST_TOLD = 100
"""How many digests the audit log names."""
_ROUNDS = 3
"""A ref that appears meanwhile may have what was just taken out."""


def purge(
    *, repo: Repo, digests: Iterable[bytes], by: Principal, rewrite_history: bool = False
) -> None:
    """Delete large files wherever a branch has them, then let the repo forget their bytes.

    With ``rewrite_history`` no commit ever had them: commits from the first that did get new ids.
    Otherwise commits of the past keep their ids, and with them the pointers; what these point to
    is gone. Bytes that no other repo holds are collected later.

    Raises:
        Refusal: as :func:`hub.policies.check_can`; where a rule protects something, what branches
            and tags lead to is for admins to delete.
        TooLarge: there is more history than we rewrite.
        RefProtected: a rule protects a branch or tag that would have to move.
    """
    check_can(by, Action.REPO_PROTECT if repo.is_guarded else Action.REPO_MANAGE, repo)
    gone = set(digests)
    if rewrite_history:
        for _round in range(_ROUNDS):
            if not rewriting.rewrite(repo=repo, without=gone, by=by):
                break
    else:
        _delete_at_heads(repo, gone, by)
    with transaction.atomic():
        _forget(repo, gone, by)
        told: dict[str, object] = {"sha256": [digest.hex() for digest in sorted(gone)[:_MOST_TOLD]]}
        told |= {"count": len(gone), "rewrote_history": rewrite_history}
        record_of(repo, "repo.delete_large_files", by=by.user, **told)


def _delete_at_heads(repo: Repo, gone: Collection[bytes], by: Principal) -> None:
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


@transaction.atomic
def _forget(repo: Repo, gone: set[bytes], by: Principal) -> None:
    PurgedFile.objects.bulk_create(
        [PurgedFile(repo=repo, sha256=sha256, purged_by=by.user) for sha256 in held(repo.pk, gone)],
        ignore_conflicts=True,
    )
    blobs.let_go(repo=repo, digests=gone)
