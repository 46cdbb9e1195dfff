"""What a pull request changes, file by file: lines, tensors, pictures side by side."""

from dataclasses import dataclass
from typing import Any

from hub.cards.safetensors import SafetensorsHeader, Tensor, changed_tensors
from hub.errors import BadObject, EntryNotFound
from hub.http import links
from hub.http.bytes import INLINE, media_type
from hub.models import Repo
from hub.names import EntryPath
from hub.portal.shown import readable
from hub.queries import changes, trees
from hub.queries.changes import FileDiff
from hub.queries.history import CommitRow
from hub.queries.pull_requests import Comparison
from hub.queries.safetensors import SUFFIX, header_of

MAX_TENSORS = 100
MAX_HEADERS = 20
"""Files whose headers are compared on one page."""
_TIMES = " \N{MULTIPLICATION SIGN} "


@dataclass(frozen=True, slots=True)
class ShownFiles:
    """The first files, and how many there are in all."""

    files: list[dict[str, Any]]
    total: int


def proposed_files(repo: Repo, found: Comparison) -> ShownFiles:
    """Show the files of a comparison as ``hub/proposed_change.html`` reads them."""
    if found.new is None:
        return ShownFiles([], 0)
    compared = changes.between(repo, found.old, found.new)
    with_headers = {file.path for file in compared.files if file.path.endswith(SUFFIX)}
    chosen = sorted(with_headers)[:MAX_HEADERS]
    shown = [_shown(repo, found, file) for file in compared.files]
    for file in shown:
        if file["raw_path"] in chosen:
            file["tensors"] = _tensors(repo, found, file["raw_path"])
    return ShownFiles(shown, compared.total)


def _shown(repo: Repo, found: Comparison, file: FileDiff) -> dict[str, Any]:
    head = found.head
    gone = file.status == "deleted" or head is None
    return {
        "path": readable(file.path),
        "raw_path": file.path,
        "status": file.status,
        "old_size": file.old_size,
        "new_size": file.new_size,
        "url": "" if gone or head is None else _blob(repo, head, file.path),
        "diff": file.hunks,
        "images": _images(repo, found, file),
    }


def _blob(repo: Repo, commit: CommitRow, path: str) -> str:
    return links.blob_url(repo.url, commit.oid.hex(), path)


def _images(repo: Repo, found: Comparison, file: FileDiff) -> list[dict[str, str]]:
    kind = media_type(file.path)
    if kind not in INLINE or not kind.startswith("image/"):
        return []
    sides = (
        ("Before", found.base, file.old_size is not None),
        ("After", found.head, file.new_size is not None),
    )
    return [
        {"label": label, "url": links.resolve_url(repo.url, commit.oid.hex(), file.path)}
        for label, commit, is_there in sides
        if commit is not None and is_there
    ]


def _tensors(repo: Repo, found: Comparison, path: str) -> dict[str, Any] | None:
    """The tensors that are others; None if a header cannot be read."""
    try:
        old, new = (_header(repo, commit, path) for commit in (found.base, found.head))
    except BadObject:
        return None
    differing = changed_tensors(old, new)
    return {
        "rows": [
            {"name": one.name, "old": _kind(one.old), "new": _kind(one.new)}
            for one in differing[:MAX_TENSORS]
        ],
        "more": max(0, len(differing) - MAX_TENSORS),
        "old_params": old.total if old else None,
        "new_params": new.total if new else None,
    }


def _header(repo: Repo, commit: CommitRow | None, path: str) -> SafetensorsHeader | None:
    if commit is None:
        return None
    try:
        entry = trees.entry_facts(repo.pk, commit, EntryPath(path))
    except EntryNotFound:
        return None
    return None if entry.is_folder else header_of(repo, entry)


def _kind(tensor: Tensor | None) -> str:
    if tensor is None:
        return ""
    return f"{tensor.dtype} {_TIMES.join(map(str, tensor.shape)) or 'scalar'}"
