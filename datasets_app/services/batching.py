"""Cut the files of a folder into sources: so many that a kill costs little, so few that it is fast.

Where a batch ends depends on the names alone, so that files which come later move few of the cuts.
"""

import hashlib
from collections.abc import Sequence

from datasets_app.models import Source, Split
from datasets_app.shape.configs import ConfigPlan
from datasets_app.shape.formats import METADATA_NAMES
from hub.queries.trees import EntryFacts

_EVERY = 512
_MOST_FILES = 2048
_MOST_BYTES = 512 * 1024 * 1024


def folder_sources(split: Split, plan: ConfigPlan, files: Sequence[EntryFacts]) -> list[Source]:
    """The sources of a split of images or the like: with a metadata file, one for all."""
    names = METADATA_NAMES[plan.builder]
    described = any(file.name in names for file in files) and not plan.params.get("drop_metadata")
    archives = any(file.path.endswith(".zip") for file in files)
    batches = [list(files)] if described or archives else _cut(files)
    return [_source(split, order, batch) for order, batch in enumerate(batches) if batch]


def _cut(files: Sequence[EntryFacts]) -> list[list[EntryFacts]]:
    batches: list[list[EntryFacts]] = [[]]
    size = 0
    for file in files:
        batches[-1].append(file)
        size += file.size
        digest = hashlib.sha256(file.path.encode(errors="surrogateescape")).digest()
        is_end = int.from_bytes(digest[:4]) % _EVERY == 0
        if is_end or len(batches[-1]) >= _MOST_FILES or size >= _MOST_BYTES:
            batches.append([])
            size = 0
    return batches


def _source(split: Split, order: int, batch: Sequence[EntryFacts]) -> Source:
    members = [
        [file.path, file.oid.hex(), file.large.sha256.hex() if file.large else None, file.size]
        for file in batch
    ]
    return Source(
        split=split,
        ord=order,
        path=batch[0].path,
        oid=batch[0].oid,
        sha256=None,
        size=sum(file.size for file in batch),
        members=members,
    )
