"""Create and delete branches and tags; squash a branch."""

from hub.errors import RefExists, RevisionNotFound
from hub.git.objects import Kind, Signature, Tag
from hub.git.refs import BRANCHES, TAGS, RefUpdate
from hub.git.stored import store
from hub.models import Repo
from hub.names import ROOT, RevisionName
from hub.queries import history, packs, trees
from hub.queries.history import CommitRow
from hub.services.commits import Message, build_commit, full_ref, noreply
from hub.services.publish import Change, Heads, publish
from teams.errors import Forbidden, Invalid
from teams.models import User


def create_branch(*, repo: Repo, branch: RevisionName, start: CommitRow, by: User | None) -> None:
    """Let a new branch begin at ``start``. A tag of the same name is no obstacle.

    Raises:
        Invalid: the name is that of a full ref.
        RefExists: there is such a branch.
        RevisionNotFound: ``start`` was collected since it was looked up.
    """
    if branch.text.startswith("refs/"):
        raise Invalid(f"Invalid reference for a branch: {branch}")
    _create(repo, BRANCHES + branch.text, start.oid, by)


def create_tag(
    *, repo: Repo, tag: RevisionName, target: CommitRow, message: str, by: User | None
) -> None:
    """Name a commit for good; with a message the tag is an object of its own.

    Raises:
        Invalid: the name is that of a full ref.
        RefExists: there is such a tag.
        RevisionNotFound: ``target`` was collected since it was looked up.
    """
    if tag.text.startswith("refs/"):
        raise Invalid(f"Invalid reference for a tag: {tag}")
    if not message:
        _create(repo, TAGS + tag.text, target.oid, by)
        return
    name = by.name if by else "weighhouse"
    signature = Signature(name, noreply(name), target.created_at)
    made = store(Kind.TAG, bytes(Tag(target.oid, tag.text, signature, message)))
    ref = TAGS + tag.text
    publish(
        repo,
        refs=[ref],
        build=lambda heads: _creation(heads, ref, made.oid),
        files=[made],
        verify=lambda: _check_there(repo, target.oid),
        by=by,
    )


def delete_branch(*, repo: Repo, branch: RevisionName, by: User | None) -> None:
    """Delete a branch; its commits stay readable by id until garbage collection.

    Raises:
        Forbidden: it is the default branch.
        RevisionNotFound: there is no such branch.
    """
    if branch.text == repo.default_branch:
        raise Forbidden(f"Cannot delete refs/heads/{branch}")
    _delete(repo, BRANCHES + branch.text, by)


def delete_tag(*, repo: Repo, tag: RevisionName, by: User | None) -> None:
    """Delete a tag.

    Raises:
        RevisionNotFound: there is no such tag.
    """
    _delete(repo, TAGS + tag.text, by)


def squash(*, repo: Repo, branch: RevisionName, message: str, by: User | None) -> bytes:
    """Replace the history of a branch by one commit with the same files; answer its id.

    Raises:
        RevisionNotFound: there is no such branch.
    """
    ref = full_ref(branch)

    def build(heads: Heads) -> Change:
        head = heads[ref]
        found = history.commit_by_oid(repo.pk, head) if head else None
        if head is None or found is None:
            raise RevisionNotFound(f"Invalid rev id: {branch}")
        changes = {entry.path: False for entry in trees.list_all(repo.pk, found, ROOT)}
        stored, row = build_commit(found.tree, (), Message(message), by, changes)
        return Change((RefUpdate(ref, head, stored.oid),), [stored], [row], makes_garbage=True)

    done = publish(repo, refs=[ref], build=build, by=by)
    return done.change.commits[0].oid


def _create(repo: Repo, ref: str, oid: bytes, by: User | None) -> None:
    publish(
        repo,
        refs=[ref],
        build=lambda heads: _creation(heads, ref, oid),
        verify=lambda: _check_there(repo, oid),
        by=by,
    )


def _check_there(repo: Repo, commit: bytes) -> None:
    if packs.missing(repo.pk, {commit: Kind.COMMIT}):
        raise RevisionNotFound(f"Invalid rev id: {commit.hex()}")


def _creation(heads: Heads, ref: str, oid: bytes) -> Change:
    if heads[ref] is not None:
        raise RefExists(f"Reference {ref} already exists")
    return Change((RefUpdate(ref, None, oid),))


def _delete(repo: Repo, ref: str, by: User | None) -> None:
    def build(heads: Heads) -> Change:
        if heads[ref] is None:
            raise RevisionNotFound("Invalid rev id")
        return Change((RefUpdate(ref, heads[ref], None),), makes_garbage=True)

    publish(repo, refs=[ref], build=build, by=by)
