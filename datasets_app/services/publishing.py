"""Publish: let the export stand on refs/convert/parquet, as an ordinary commit."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from datasets_app.models import CommitSnapshot, Config, Shard, Snapshot, Split, State
from datasets_app.services import derived
from datasets_app.services.kinds import STATISTICS
from hub.git.objects import FILE_MODE, Entry, Kind, Pointer
from hub.git.refs import BRANCHES, CONVERTS, RefUpdate
from hub.git.stored import StoredObject, store
from hub.models import Job, Repo
from hub.names import ROOT, EntryPath
from hub.queries import trees
from hub.queries.history import commit_by_oid, ref_oid
from hub.services import blobs
from hub.services.commits import Message, build_commit
from hub.services.edits import TreeEdit
from hub.services.publish import Change, Heads
from hub.services.publish import publish as make_true
from hub.services.working import TryAgain, Work
from teams.policies import ANONYMOUS

EXPORT_REF = f"{CONVERTS}parquet"
PAGES_REF = f"{CONVERTS}viewer"
"""Holds what the viewer and streams read beside the export."""


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
    """Let the refs hold the shards of a snapshot; answer the commit, None if it has none.

    One that is no longer what the default branch comes to keeps its shards under a ref of its own.

    Raises:
        TryAgain: bytes of a shard were collected meanwhile: they are made again.
    """
    shards = list(
        Shard.objects.filter(split__config__snapshot=snapshot, split__config__state=State.READY)
    )
    repo = snapshot.repo
    _check_held(repo, shards)
    refs = (EXPORT_REF, PAGES_REF) if _is_current(snapshot) else (_own(snapshot), "")
    files = {
        refs[0]: {row.path: row for row in shards if row.kind != Shard.Kind.REPACK},
        refs[1]: {_page_path(row): row for row in shards if row.kind == Shard.Kind.REPACK},
    }
    if not refs[1]:
        files = {refs[0]: {**files[refs[0]], **files[refs[1]]}}
    card = export_card(snapshot)
    commits = {ref: _point(repo, ref, rows, snapshot, card) for ref, rows in files.items() if rows}
    states = set(Config.objects.filter(snapshot=snapshot).values_list("state", flat=True))
    snapshot.state = State.READY if State.READY in states else State.FAILED
    snapshot.export_commit = commits.get(refs[0])
    snapshot.save(update_fields=["state", "export_commit"])
    return snapshot.export_commit


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


def _own(snapshot: Snapshot) -> str:
    return f"{CONVERTS}snapshots/{snapshot.pk}"


def _page_path(row: Shard) -> str:
    return f"viewer/{bytes(row.sha256 or b'').hex()}.parquet"


def _check_held(repo: Repo, shards: Sequence[Shard]) -> None:
    """What a tree is about to name is not collected from now on."""
    digests = {bytes(row.sha256): row for row in shards if row.sha256 is not None}
    held = blobs.held_or_adopted(repo=repo, digests=digests, by=ANONYMOUS)
    lost = [row for sha256, row in digests.items() if sha256 not in held]
    for row in lost:
        row.source.state = State.WAITING
        row.source.save(update_fields=["state"])
    if lost:
        raise TryAgain("shard_lost", "A shard was deleted before it could be published.")


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


def _point(
    repo: Repo, ref: str, files: Mapping[str, Shard], snapshot: Snapshot, card: bytes
) -> bytes:
    """Let ``ref`` hold exactly these files; answer its commit."""
    readme = store(Kind.BLOB, card)
    pointers: list[StoredObject] = [readme]
    entries: dict[str, Entry] = {"README.md": Entry(FILE_MODE, readme.oid)}
    for path, row in files.items():
        oid = bytes(row.oid)
        if row.sha256 is not None:
            pointer = store(Kind.BLOB, bytes(Pointer(bytes(row.sha256), row.size)))
            pointers.append(pointer)
            oid = pointer.oid
        entries[path] = Entry(FILE_MODE, oid)
    result = b""

    def build(heads: Heads) -> Change:
        nonlocal result
        head, tree = heads[ref], heads.tree(ref)
        edit = TreeEdit(repo.pk, tree, [EntryPath(path) for path in entries])
        for path in _gone(repo, head, entries):
            edit.delete(EntryPath(path))
        for path, entry in entries.items():
            edit.put(EntryPath(path), entry)
        root, stored = edit.finish()
        if head is not None and root == tree:
            result = head
            return Change()
        message = Message("Update the Parquet export", f"Made of snapshot {snapshot.fingerprint}.")
        made, row = build_commit(root, (head,) if head else (), message, None, edit.changes)
        result = made.oid
        return Change((RefUpdate(ref, head, made.oid),), [*stored, made], [row])

    make_true(repo, refs=[ref], build=build, files=pointers)
    return result


def _gone(repo: Repo, head: bytes | None, entries: Mapping[str, Entry]) -> list[str]:
    """The files of the last export that are not in this one."""
    commit = commit_by_oid(repo.pk, head) if head else None
    if commit is None:
        return []
    found = trees.list_all(repo.pk, commit, ROOT)
    return [one.path for one in found if not one.is_folder and one.path not in entries]
