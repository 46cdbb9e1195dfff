"""Safetensors headers of files in a repo, whichever way their bytes are stored."""

import json
from collections.abc import Sequence
from typing import Any

from hub.cards.safetensors import SafetensorsHeader, read_header
from hub.errors import BadObject, EntryNotFound
from hub.models import Repo
from hub.names import EntryPath
from hub.queries import trees
from hub.queries.content import stored_content
from hub.queries.history import CommitRow
from hub.queries.scans import check_served, key_of
from hub.queries.trees import EntryFacts, Found

SUFFIX = ".safetensors"
INDEX = "model.safetensors.index.json"
MAX_SHARDS = 500


def header_of(repo: Repo, entry: EntryFacts) -> SafetensorsHeader:
    """Read the header of one file.

    Raises:
        BadObject: it is no whole safetensors file.
    """
    content = stored_content(repo, entry)
    return read_header(
        lambda start, length: b"".join(content.read(start, start + length)), entry.size
    )


def headers_of_model(
    repo: Repo, commit: CommitRow, files: Sequence[Found]
) -> list[SafetensorsHeader]:
    """Read the headers of the files that make up the model at the root of a repo.

    These are ``model*.safetensors``; without such all safetensors files at the root: a repo may
    hold its weights once more in another cut.

    Raises:
        BadObject: one of them is no whole safetensors file.
    """
    at_root = [one for one in files if "/" not in one.path and one.path.endswith(SUFFIX)]
    chosen = [one for one in at_root if one.path.startswith("model")] or at_root
    if len(chosen) > MAX_SHARDS:
        raise BadObject(f"There are more than {MAX_SHARDS} safetensors files.")
    return [header_of(repo, entry) for entry in trees.facts_of(repo.pk, chosen)]


def sharded_headers(repo: Repo, commit: CommitRow, path: EntryPath) -> dict[str, Any]:
    """Answer an index file with the headers of all shards that it names.

    Raises:
        EntryNotFound: the index or a shard is not there.
        BadObject: the index or a shard is malformed.
        FileWithheld: scanners have not let a shard out.
    """
    raw = trees.read_file(repo.pk, commit, path)
    if raw is None:
        raise EntryNotFound(f'"{path}" does not exist.')
    index = _index(raw)
    names = sorted({str(name) for name in index["weight_map"].values()})
    if len(names) > MAX_SHARDS:
        raise BadObject(f"The index names more than {MAX_SHARDS} files.")
    folder = f"{path.folder}/" if path.folder else ""
    headers = {}
    for name in names:
        entry = trees.entry_facts(repo.pk, commit, EntryPath.parse(folder + name))
        check_served(repo, key_of(entry))
        headers[name] = _header_json(header_of(repo, entry))
    return {"index": {"metadata": index.get("metadata", {})}, "headers": headers}


def _index(raw: bytes) -> dict[str, Any]:
    try:
        index = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadObject("The index is not valid JSON.") from None
    if not isinstance(index, dict) or not isinstance(index.get("weight_map"), dict):
        raise BadObject('The index has no "weight_map".')
    return index


def _header_json(header: SafetensorsHeader) -> dict[str, Any]:
    tensors: dict[str, Any] = {
        name: {
            "dtype": tensor.dtype,
            "shape": tensor.shape,
            "data_offsets": [tensor.start, tensor.end],
        }
        for name, tensor in header.tensors.items()
    }
    return tensors | ({"__metadata__": header.metadata} if header.metadata else {})
