"""Complete: what all sources of a config agree upon, where each row stands, and who is told."""

import base64
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django.db import transaction

from datasets_app.errors import UnreadableFile, Unresolvable
from datasets_app.models import Config, Shard, Snapshot, Source, Split, State
from datasets_app.services.kinds import PUBLISH
from hub.services import jobs

FILES_IN_A_FOLDER = 10_000


def storable(value: Any) -> Any:
    """The same without NUL characters, which no text of a row can hold."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {storable(key): storable(one) for key, one in value.items()}
    return [storable(one) for one in value] if isinstance(value, list) else value


def raw_of(text: str) -> bytes:
    """A schema as rows hold it, from what a child told."""
    return base64.b64decode(text)


def text_of(schema: bytes) -> str:
    """A schema as a child is told it."""
    return base64.b64encode(schema).decode()


def agree(config: Config, sources: Sequence[Source]) -> bytes:
    """The schema of all sources; written down, with its features, at the config.

    Raises:
        UnreadableFile: there are no columns.
    """
    from datasets_app.readers.schemas import checked, settled, unified  # noqa: PLC0415 - not in web
    from datasets_app.services.arrow_schemas import features_of, overlaid, read, write  # noqa: PLC0415

    own = [read(bytes(source.arrow_schema or b"")) for source in sources]
    schema = checked(settled(unified(one for one in own if len(one))))
    if not len(schema):
        raise UnreadableFile("The files have no columns.", viewer_code="EmptyDatasetError")
    schema = overlaid(schema, config.features)
    config.features, config.arrow_schema = features_of(schema), write(schema)
    return bytes(config.arrow_schema)


def differs(source: Source, agreed: bytes) -> bool:
    """Whether the shards of a source have other columns or types than all agreed upon."""
    from datasets_app.services.arrow_schemas import read  # noqa: PLC0415 - not in web

    own, whole = read(bytes(source.arrow_schema or b"")), read(agreed)
    return not own.remove_metadata().equals(whole.remove_metadata())


@transaction.atomic
def complete(config: Config) -> int:
    """Give each shard its path and its first row, and the splits their numbers."""
    total = 0
    for split in Split.objects.filter(config=config):
        total += _complete_split(config, split)
    config.state = State.READY
    config.save(update_fields=["state", "features", "arrow_schema"])
    _tell(config.snapshot)
    return total


def _complete_split(config: Config, split: Split) -> int:
    rows = list(Shard.objects.filter(split=split).select_related("source"))
    rows.sort(key=lambda row: (row.source.ord, row.kind == Shard.Kind.REPACK, row.ord))
    first = count = 0
    for _order, of_source in groupby(rows, key=lambda row: row.source.ord):
        begin = first
        repacked = begin
        for row in of_source:
            if row.kind == Shard.Kind.REPACK:
                row.first_row, repacked = repacked, repacked + row.num_rows
                continue
            row.first_row, first = first, first + row.num_rows
            row.path = _path(config.name, split.name, count)
            count += 1
    Shard.objects.bulk_update(rows, ["first_row", "path"], batch_size=500)
    exported = [row for row in rows if row.kind != Shard.Kind.REPACK]
    split.num_rows = first
    split.num_bytes_parquet = sum(row.size for row in exported)
    split.num_bytes_memory = sum(row.num_bytes_memory for row in exported)
    split.state = State.READY
    split.save()
    return first


def _path(config: str, split: str, count: int) -> str:
    part, number = divmod(count, FILES_IN_A_FOLDER)
    folder = f"{split}-part{part}" if part else split
    return f"{config}/{folder}/{number:04}.parquet"


@transaction.atomic
def fail(config: Config, bad: UnreadableFile | Unresolvable, path: str) -> None:
    """Say why a config cannot be exported: with file, column and row as far as they are known."""
    error: dict[str, Any] = {"message": bad.message}
    error |= {"path": path} if path else {}
    if isinstance(bad, UnreadableFile):
        error |= {"column": bad.column} if bad.column is not None else {}
        error |= {"row": bad.row} if bad.row is not None else {}
    error = storable(error)
    told = {"state": State.FAILED, "error_code": bad.viewer_code, "error": error}
    Config.objects.filter(pk=config.pk).update(**told)
    Split.objects.filter(config=config).update(**told)
    _tell(config.snapshot)


def _tell(snapshot: Snapshot) -> None:
    """Whoever ends the last config asks that the export be published."""
    # Of two that end at once the second waits here, and sees the first.
    Snapshot.objects.select_for_update().get(pk=snapshot.pk)
    states = set(Config.objects.filter(snapshot=snapshot).values_list("state", flat=True))
    if states <= {State.READY, State.FAILED}:
        jobs.request(
            PUBLISH, params={"snapshot": snapshot.pk}, repo=snapshot.repo, key=str(snapshot.pk)
        )
