"""Index: make the texts of each split searchable, once per snapshot.

An index is a large file on a ref of its own: it is kept, deleted and moved with its repo.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from datasets_app.models import Split
from datasets_app.queries.rows import Found
from datasets_app.services.derived import asked, make_all
from datasets_app.services.publishing import index_ref
from datasets_app.serving.features import Feature, kind_of
from hub.git.objects import FILE_MODE, Entry, Kind, Pointer
from hub.git.refs import RefUpdate
from hub.git.stored import store
from hub.models import Repo
from hub.names import EntryPath
from hub.queries.store import blob_store
from hub.services import blobs
from hub.services.commits import Message, build_commit
from hub.services.edits import TreeEdit
from hub.services.publish import Change, Heads, publish
from hub.services.working import Work

KIND = "fts"
VERSION = 1
SECONDS = 3600
GIBIBYTES = 4
WRITTEN = 64 * 1024**3
_TEXT = frozenset({"string", "large_string"})
_STEP_BYTES = 1024 * 1024


def index(work: Work) -> dict[str, Any]:
    """Index the splits of the snapshot that the job names."""
    return make_all(work, KIND, VERSION, _index)


def text_columns(features: Mapping[str, Feature]) -> list[str]:
    """The columns that are searched."""
    return [
        name
        for name, feature in features.items()
        if kind_of(feature) == "Value" and feature.get("dtype") in _TEXT
    ]


def _index(_work: Work, split: Split, found: Found) -> Mapping[str, Mapping[str, Any]]:
    columns = text_columns(found.features)
    if not columns:
        return {KIND: {"columns": [], "blob_key": ""}}
    with tempfile.TemporaryDirectory() as aside:
        folder, packed = Path(aside, "index"), Path(aside, "packed")
        folder.mkdir()
        question = {
            "ask": "index",
            "tables": found.tables(),
            "columns": columns,
            "folder": str(folder),
            "into": str(packed),
        }
        asked(question, seconds=SECONDS, gibibytes=GIBIBYTES, written=WRITTEN)
        sha256 = _keep(split, packed)
    return {KIND: {"columns": columns, "blob_key": sha256.hex()}}


def _keep(split: Split, packed: Path) -> bytes:
    """Let the repo hold the index as a large file; answer its digest."""
    snapshot = split.config.snapshot
    repo = snapshot.repo
    size = packed.stat().st_size
    bytes_store = blob_store()
    staged = bytes_store.stage(_pieces(packed))
    sha256 = staged.sha256
    blobs.accept(repo=repo, store=bytes_store, staged=staged, sha256=sha256, size=size, by=None)
    _name(
        repo, index_ref(snapshot), f"{split.config.name}/{split.name}.index", Pointer(sha256, size)
    )
    return sha256


def _name(repo: Repo, ref: str, path: str, pointer: Pointer) -> None:
    """Let a snapshot's ref of indexes name a large file under ``path``."""
    made = store(Kind.BLOB, bytes(pointer))

    def build(heads: Heads) -> Change:
        head = heads[ref]
        edit = TreeEdit(repo.pk, heads.tree(ref), [EntryPath(path)])
        edit.put(EntryPath(path), Entry(FILE_MODE, made.oid))
        root, stored = edit.finish()
        parents = (head,) if head else ()
        message = Message("Index texts")
        commit, row = build_commit(root, parents, message, None, edit.changes)
        return Change((RefUpdate(ref, head, commit.oid),), [*stored, commit], [row])

    publish(repo, refs=[ref], build=build, files=[made])


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_STEP_BYTES):
            yield piece
