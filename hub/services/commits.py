"""Build the objects of one commit out of operations, and publish it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.utils import timezone

from hub.crashpoints import Point, reach
from hub.errors import BlobNotFound, EntryNotFound, RevisionNotFound, StaleParent
from hub.git.objects import FILE_MODE, Commit, Entry, Kind, Pointer, Signature
from hub.git.refs import BRANCHES, PULL_REQUESTS, RefUpdate
from hub.git.spool import ObjectSpool
from hub.git.stored import StoredObject, store
from hub.models import Repo
from hub.names import EntryPath, RevisionName
from hub.queries.objects import LoadedTree, remember
from hub.services import blobs
from hub.services.edits import TreeEdit
from hub.services.filing import NewCommit
from hub.services.guarding import Guard
from hub.services.publish import Change, Heads, publish
from teams.errors import TooLarge
from teams.models import User
from teams.policies import Principal

MAX_FILE_BYTES = 10 * 1024 * 1024
"""Larger files do not belong into git; they come as large files (LFS or Xet)."""
MAX_OPERATIONS = 25_000


@dataclass(frozen=True, slots=True)
class PutFile:
    """Put the bytes of a small file."""

    path: EntryPath
    content: bytes


@dataclass(frozen=True, slots=True)
class PutLarge:
    """Put a file whose bytes were uploaded before; without size it is one that the repo holds."""

    path: EntryPath
    sha256: bytes
    size: int | None


@dataclass(frozen=True, slots=True)
class CopyFile:
    """Put what is at another path, as of the parent commit."""

    path: EntryPath
    source: EntryPath


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """Delete a file."""

    path: EntryPath


@dataclass(frozen=True, slots=True)
class DeleteFolder:
    """Delete a folder with all that is in it."""

    path: EntryPath


Operation = PutFile | PutLarge | CopyFile | DeleteFile | DeleteFolder


@dataclass(frozen=True, slots=True)
class Message:
    """What a commit says: first line and the rest."""

    title: str
    description: str = ""

    def __str__(self) -> str:
        return f"{self.title}\n\n{self.description}".strip() if self.description else self.title


@dataclass(frozen=True, slots=True)
class _Put:
    """A put whose content is an object already."""

    path: EntryPath
    oid: bytes


Step = _Put | CopyFile | DeleteFile | DeleteFolder


def commit(
    *,
    repo: Repo,
    branch: RevisionName,
    operations: Iterable[Operation],
    message: Message,
    by: Principal,
    parent: str = "",
) -> bytes:
    """Carry out ``operations`` in order as one commit on ``branch``; answer the commit's id.

    A change that changes nothing makes no commit: the answer is then the head, so a request that
    is repeated because its answer was lost does no harm. ``parent`` is the (short) commit id that
    the branch must be at.

    Raises:
        RevisionNotFound: there is no such branch.
        StaleParent: the branch is not at ``parent``.
        EntryNotFound: a file to delete is not there.
        BlobNotFound: a large file was not uploaded to this repo.
        BadPath, TooLarge: an operation is not possible.
        UnsafeFile: loading a file would run code, and the repo's owner takes none such.
    """
    with ObjectSpool() as files:
        building = Building(
            repo=repo,
            ref=full_ref(branch),
            steps=prepared(repo, operations, files, by),
            message=message,
            parent=parent,
            author=by.user,
        )
        done = publish(repo, refs=[building.ref], build=building, files=files, by=by.user)
    if done.added.tree_bytes == building.object_bytes:
        # A row that was there before may be stored in another way than these trees tell.
        transaction.on_commit(partial(remember, repo.pk, building.trees))
    return building.result


def full_ref(branch: RevisionName) -> str:
    """The ref that commits to ``branch`` move: a pull request goes by its whole name only."""
    if branch.text.startswith(PULL_REQUESTS):
        return branch.text
    return BRANCHES + branch.text.removeprefix(BRANCHES)


@dataclass
class Building:
    """Builds the change on whatever head it is given, and remembers the last outcome."""

    repo: Repo
    ref: str
    steps: Sequence[Step]
    message: Message
    parent: str
    author: User | None
    new_ref: str = ""
    """A ref that is to begin at the commit, while ``ref`` stays where it is."""
    onto: bytes = b""
    """The head that it was built on."""
    result: bytes = b""
    trees: Sequence[LoadedTree] = ()
    object_bytes: int = 0

    def __call__(self, heads: Heads) -> Change:
        head, tree = heads[self.ref], heads.tree(self.ref)
        if head is None or tree is None:
            raise RevisionNotFound(f"Invalid rev id: {self.ref.removeprefix(BRANCHES)}")
        if not head.hex().startswith(self.parent):
            raise StaleParent
        self.onto = head
        edit = TreeEdit(self.repo.pk, tree, _paths_of(self.steps))
        for step in self.steps:
            _carry_out(step, edit)
        wastes = len(self.steps) > 1 and any(_is_wasted(step, edit) for step in self.steps)
        root, trees = edit.finish()
        if root == tree:
            self.result, self.trees = head, ()
            updates = (RefUpdate(self.new_ref, None, head),) if self.new_ref else ()
            return Change(updates, makes_garbage=wastes)
        stored, row = build_commit(root, (head,), self.message, self.author, edit.changes)
        objects = [*trees, stored]
        self.result, self.trees = stored.oid, edit.written
        self.object_bytes = sum(len(one.data) for one in objects)
        move = RefUpdate(self.ref, head, stored.oid)
        if self.new_ref:
            move = RefUpdate(self.new_ref, None, stored.oid)
        return Change((move,), objects, [row], makes_garbage=wastes)


def _is_wasted(step: Step, edit: TreeEdit) -> bool:
    """Whether a file was put where a later operation put another, or deleted it."""
    if not isinstance(step, _Put):
        return False
    try:
        return edit.entry(step.path).oid != step.oid
    except EntryNotFound:
        return True


def build_commit(
    tree: bytes,
    parents: tuple[bytes, ...],
    message: Message,
    author: User | None,
    changes: Mapping[str, bool],
) -> tuple[StoredObject, NewCommit]:
    """Answer a commit made now, as object and as row."""
    name = author.name if author else "weighhouse"
    now = timezone.now().replace(microsecond=0)
    signature = Signature(name, noreply(name), now)
    made = Commit(tree, parents, signature, str(message))
    stored = store(Kind.COMMIT, bytes(made))
    row = NewCommit(
        oid=stored.oid,
        tree=tree,
        parents=parents,
        author=name,
        author_id=author.pk if author else None,
        created_at=now,
        title=made.title,
        message=made.body,
        changes=changes,
    )
    return stored, row


def noreply(name: str) -> str:
    """The address of a user, or of the hub itself, in commits that we write."""
    return f"{name}@users.noreply.weighhouse"


def prepared(
    repo: Repo, operations: Iterable[Operation], files: ObjectSpool, by: Principal
) -> list[Step]:
    """Hash and deflate contents as they arrive, and check that large files are held.

    Raises:
        BlobNotFound, TooLarge, UnsafeFile: as :func:`commit`.
    """
    waiting: list[Step | PutLarge] = []
    with Guard(repo) as guard:
        for operation in operations:
            if isinstance(operation, PutFile):
                guard.check(str(operation.path), operation.content)
                waiting.append(_stored(operation, files))
            else:
                waiting.append(operation)
            if len(waiting) > MAX_OPERATIONS:
                raise TooLarge(f"A commit takes at most {MAX_OPERATIONS:,} operations.")
    large = [step for step in waiting if isinstance(step, PutLarge)]
    pointers = _pointers(repo, large, by)
    steps: list[Step] = []
    for step in waiting:
        if isinstance(step, PutLarge):
            pointer = store(Kind.BLOB, bytes(pointers[step.sha256]))
            files.add(pointer)
            steps.append(_Put(step.path, pointer.oid))
        else:
            steps.append(step)
    reach(Point.COMMIT_READ)
    return steps


def _stored(operation: PutFile, files: ObjectSpool) -> _Put | PutLarge:
    if len(operation.content) > MAX_FILE_BYTES:
        raise TooLarge(
            f"{operation.path} has {len(operation.content):,} bytes. Files of more than "
            f"{MAX_FILE_BYTES:,} bytes must be uploaded as large files (LFS or Xet)."
        )
    blob = store(Kind.BLOB, operation.content)
    if blob.pointer is not None:
        # A pointer that came as text names a large file like any other, and needs the same proof.
        return PutLarge(operation.path, *blob.pointer)
    files.add(blob)
    return _Put(operation.path, blob.oid)


def _pointers(repo: Repo, large: Sequence[PutLarge], by: Principal) -> dict[bytes, Pointer]:
    sizes = blobs.held_or_adopted(repo=repo, digests=[put.sha256 for put in large], by=by)
    for put in large:
        if put.sha256 not in sizes:
            raise BlobNotFound(
                f"{put.path}: the object {put.sha256.hex()} was not uploaded to this repo."
            )
        if put.size not in {None, sizes[put.sha256]}:
            raise BlobNotFound(
                f"{put.path}: the object {put.sha256.hex()} has {sizes[put.sha256]:,} bytes, "
                f"not {put.size:,}."
            )
    return {sha256: Pointer(sha256, size) for sha256, size in sizes.items()}


def _paths_of(steps: Sequence[Step]) -> list[EntryPath]:
    sources = [step.source for step in steps if isinstance(step, CopyFile)]
    return [step.path for step in steps] + sources


def _carry_out(step: Step, edit: TreeEdit) -> None:
    match step:
        case _Put(path, oid):
            edit.put(path, Entry(FILE_MODE, oid))
        case CopyFile(path, source):
            edit.copy(path, source)
        case DeleteFile(path):
            edit.delete(path)
        case DeleteFolder(path):
            edit.delete_folder(path)
