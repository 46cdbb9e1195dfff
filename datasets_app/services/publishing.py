"""Publish: let the export stand on refs/convert/parquet, as an ordinary commit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml
from django.db import transaction

from datasets_app.models import CommitSnapshot, Config, Shard, Snapshot, Source, Split, State
from datasets_app.services import derived
from datasets_app.services.kinds import EXPORT, STATISTICS
from hub.git.objects import FILE_MODE, Entry, Kind, Pointer
from hub.git.refs import BRANCHES, CONVERTS, RefUpdate
from hub.git.stored import StoredObject, store
from hub.models import Job, Repo
from hub.names import EntryPath
from hub.queries.history import ref_oid
from hub.services import blobs, jobs
from hub.services.commits import Message, build_commit
from hub.services.edits import TreeEdit
from hub.services.publish import Change, Heads
from hub.services.publish import publish as make_true
from hub.services.working import JobFailed, Work
from teams.policies import ANONYMOUS

EXPORT_REF = f"{CONVERTS}parquet"


def publish(work: Work) -> dict[str, Any]:
    """Publish the export of the snapshot that the job names."""
    snapshot = (
        Snapshot.objects.select_related("repo__namespace")
        .filter(pk=work.params["snapshot"])
        .first()
    )
    if snapshot is None or not _is_over(snapshot):
        return {}
    commit = publish_snapshot(snapshot)
    if commit and not _is_asked_for(snapshot):
        derived.request(snapshot)
    return {"commit": commit.hex()} if commit else {}


def publish_snapshot(snapshot: Snapshot) -> bytes | None:
    """Let refs hold the shards of a snapshot; answer the commit, None if it has none.

    All that readers need of it is held by a ref of its own, for as long as the snapshot is there.
    The export is on its ref if the snapshot is what the default branch comes to: a commit without
    parents, so that rows which were deleted are not kept by it.

    Raises:
        JobFailed: bytes of a shard were collected meanwhile: they are made again.
    """
    shards = list(
        Shard.objects.filter(split__config__snapshot=snapshot, split__config__state=State.READY)
    )
    repo = snapshot.repo
    _check_held(repo, shards)
    export = {row.path: row for row in shards if row.kind != Shard.Kind.REPACK}
    pages = {_page_path(row): row for row in shards if row.kind == Shard.Kind.REPACK}
    card = export_card(snapshot)
    own = _point(repo, own_ref(snapshot), _entries({**export, **pages}, card)) if shards else None
    given = None
    if export:
        given = _point(repo, EXPORT_REF, _entries(export, card), lambda: _is_current(snapshot))
    else:
        _drop(repo, EXPORT_REF, lambda: _is_current(snapshot))
    states = set(Config.objects.filter(snapshot=snapshot).values_list("state", flat=True))
    snapshot.state = State.READY if State.READY in states else State.FAILED
    snapshot.export_commit = given or own
    snapshot.save(update_fields=["state", "export_commit"])
    return snapshot.export_commit


def let_go_of(snapshot: Snapshot, *, is_purge: bool = False) -> None:
    """Delete the refs that hold the bytes of a snapshot; in a purge the export's ref too."""
    for ref in (own_ref(snapshot), index_ref(snapshot)):
        _drop(snapshot.repo, ref)
    if is_purge:
        _drop(snapshot.repo, EXPORT_REF)


def _is_asked_for(snapshot: Snapshot) -> bool:
    """Whether what is computed of it was: a snapshot that comes back has that already."""
    return Job.objects.filter(kind=STATISTICS, key=str(snapshot.pk)).exists()


def _is_over(snapshot: Snapshot) -> bool:
    """Whether every config has come to its end; whoever ends the last one asks again."""
    open_ones = [State.WAITING, State.RUNNING]
    return not Config.objects.filter(snapshot=snapshot, state__in=open_ones).exists()


def _is_current(snapshot: Snapshot) -> bool:
    head = ref_oid(snapshot.repo_id, BRANCHES + snapshot.repo.default_branch)
    return CommitSnapshot.objects.filter(snapshot=snapshot, commit=head).exists()


def own_ref(snapshot: Snapshot) -> str:
    """The ref that holds the shards of one snapshot."""
    return f"{CONVERTS}snapshots/{snapshot.pk}"


def index_ref(snapshot: Snapshot) -> str:
    """The ref that holds the indexes of one snapshot."""
    return f"{CONVERTS}indexes/{snapshot.pk}"


def _page_path(row: Shard) -> str:
    return f"viewer/{bytes(row.sha256 or b'').hex()}.parquet"


def _check_held(repo: Repo, shards: Sequence[Shard]) -> None:
    """What a tree is about to name is not collected from now on."""
    digests = {bytes(row.sha256): row for row in shards if row.sha256 is not None}
    held = blobs.held_or_adopted(repo=repo, digests=digests, by=ANONYMOUS)
    lost = [row for row in shards if row.sha256 is not None and bytes(row.sha256) not in held]
    if lost:
        _make_again(repo, lost)
        raise JobFailed("shard_lost", "A shard was deleted: it is made again, then published.")


@transaction.atomic
def _make_again(repo: Repo, lost: Sequence[Shard]) -> None:
    """Ask for the export of the configs that lost a shard; what they still have they keep."""
    Source.objects.filter(pk__in={row.source_id for row in lost}).update(state=State.WAITING)
    splits = Split.objects.filter(pk__in={row.split_id for row in lost})
    for config in set(splits.values_list("config", flat=True)):
        Config.objects.filter(pk=config).update(state=State.WAITING)
        Split.objects.filter(config=config).update(state=State.WAITING)
        jobs.request(EXPORT, params={"config": config}, repo=repo, key=str(config))


def export_card(snapshot: Snapshot) -> bytes:
    """A card that tells clients of the export which files make which config and split."""
    rows = (
        Split.objects.filter(config__snapshot=snapshot, config__state=State.READY)
        .order_by("config__ord", "ord")
        .values_list("config__name", "config__is_default", "name")
    )
    configs: dict[str, dict[str, Any]] = {}
    for config, is_default, split in rows:
        found = configs.setdefault(config, {"config_name": config, "data_files": []})
        paths = [f"{config}/{split}/*.parquet", f"{config}/{split}-part*/*.parquet"]
        found["data_files"].append({"split": split, "path": paths})
        found |= {"default": True} if is_default and config != "default" else {}
    told = yaml.safe_dump({"configs": list(configs.values())}, sort_keys=False)
    return f"---\n{told}---\n".encode()


def _entries(
    files: Mapping[str, Shard], card: bytes
) -> dict[str, tuple[bytes, StoredObject | None]]:
    """What a tree is to hold: ids by path, and the objects that may not be there yet."""
    readme = store(Kind.BLOB, card)
    found: dict[str, tuple[bytes, StoredObject | None]] = {"README.md": (readme.oid, readme)}
    for path, row in files.items():
        pointer = None
        if row.sha256 is not None:
            pointer = store(Kind.BLOB, bytes(Pointer(bytes(row.sha256), row.size)))
        found[path] = (pointer.oid if pointer else bytes(row.oid), pointer)
    return found


def _always() -> bool:
    return True


def _point(
    repo: Repo,
    ref: str,
    entries: Mapping[str, tuple[bytes, StoredObject | None]],
    may: Callable[[], bool] = _always,
) -> bytes | None:
    """Let ``ref`` hold exactly these files in one commit; answer it, None if it may not.

    ``may`` is asked under the repo's lock: of two who publish at once the one that is late sees it.
    """
    result: bytes | None = None

    def build(heads: Heads) -> Change:
        nonlocal result
        result = None
        if not may():
            return Change()
        edit = TreeEdit(repo.pk, None, [EntryPath(path) for path in entries])
        for path, (oid, _made) in entries.items():
            edit.put(EntryPath(path), Entry(FILE_MODE, oid))
        root, stored = edit.finish()
        head = heads[ref]
        if head is not None and root == heads.tree(ref):
            result = head
            return Change()
        message = Message("Update the Parquet export")
        made, row = build_commit(root, (), message, None, edit.changes)
        result = made.oid
        update = RefUpdate(ref, head, made.oid)
        return Change((update,), [*stored, made], [row], makes_garbage=head is not None)

    pointers = [made for _oid, made in entries.values() if made is not None]
    make_true(repo, refs=[ref], build=build, files=pointers)
    return result


def _drop(repo: Repo, ref: str, may: Callable[[], bool] = _always) -> None:
    """Delete a ref, if there is one."""

    def build(heads: Heads) -> Change:
        head = heads[ref]
        if head is None or not may():
            return Change()
        return Change((RefUpdate(ref, head, None),), makes_garbage=True)

    make_true(repo, refs=[ref], build=build)
