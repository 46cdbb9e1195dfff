"""Export: make Parquet of a config, source by source; what is made is not made again.

After each source its shards are rows and their bytes are in the store, so whoever is killed goes
on behind it. A source whose own schema is not what all agree upon is read once more, and brought to
it. Bytes are the repo's own from the moment on at which a row names them; those of a shard that
nobody came to name are collected like any upload that was not committed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from datasets_app.errors import UnreadableFile, Unresolvable
from datasets_app.models import Config, Shard, Source, State
from datasets_app.queries.files import lay_down, workplace
from datasets_app.readers.task import Task
from datasets_app.services import children, completing
from datasets_app.services.folders import folder_params
from datasets_app.services.kinds import CANCELLED
from datasets_app.shape import formats
from datasets_app.shape.fingerprint import recipe
from hub.errors import EntryNotFound
from hub.git.objects import Kind as ObjectKind
from hub.git.objects import Pointer, hash_object
from hub.models import Repo
from hub.queries.content import known_content
from hub.queries.store import blob_store
from hub.services import blobs
from hub.services.working import JobCancelled, JobFailed, TryAgain, Work
from teams.errors import OutOfSpace, Unavailable
from teams.policies import ANONYMOUS

FORCED = frozenset({"csv", "json", "text"})
"""Builders whose cells are read as the card's features say; others have types of their own."""
_PIECE = 1 << 20


def export(work: Work) -> dict[str, Any]:
    """Export the config that the job names; answer how many rows it has."""
    config = (
        Config.objects.select_related("snapshot__repo__namespace")
        .filter(pk=work.params["config"])
        .first()
    )
    if config is None or config.state in {State.READY, State.FAILED}:
        return {}
    Config.objects.filter(pk=config.pk).update(state=State.RUNNING)
    running = _Export(work, config)
    try:
        running.run()
    except (UnreadableFile, Unresolvable) as bad:
        completing.fail(config, bad, running.path)
        raise JobFailed(bad.viewer_code, bad.message) from None
    except JobCancelled:
        told = "The conversion was cancelled. The next commit begins anew."
        completing.fail(config, UnreadableFile(told, viewer_code=CANCELLED), running.path)
        raise
    except (Unavailable, OutOfSpace) as away:
        raise TryAgain("store_away", away.message) from None
    return {"rows": completing.complete(config)}


@dataclass
class _Export:
    """One config on its way."""

    work: Work
    config: Config
    path: str = ""
    """The file that is being read."""
    done: int = 0
    total: int = 0

    @property
    def repo(self) -> Repo:
        return self.config.snapshot.repo

    def run(self) -> None:
        sources = list(
            Source.objects.filter(split__config=self.config)
            .select_related("split")
            .order_by("split__ord", "ord")
        )
        self.total = sum(source.size for source in sources)
        params = {**self.config.params, **folder_params(self.config, sources)}
        given = self.config.arrow_schema if self.config.builder in FORCED else None
        forced = bytes(given) if given else None
        for source in sources:
            if source.state != State.READY:
                self._make(source, params, forced)
            self.done += source.size
            self.work.progress(self.done, self.total, source.path)
        agreed = completing.agree(self.config, sources)
        for source in sources:
            if completing.differs(source, agreed) and source.cast_to != _hash(agreed):
                self._make(source, params, agreed)

    def _make(self, source: Source, params: Mapping[str, Any], schema: bytes | None) -> None:
        """Make the shards of a source, or take over those of the same recipe."""
        self.path = source.path
        self.work.progress(self.done, self.total, source.path)
        source.recipe = self._recipe(source, params)
        source.cast_to = _hash(schema) if schema else ""
        if not self._take_over(source):
            with workplace() as folder:
                self._convert(source, params, schema, folder)

    def _recipe(self, source: Source, params: Mapping[str, Any]) -> str:
        suffix = "".join(formats.suffixes(source.path)).lower()
        identity = source.members or [suffix, bytes(source.sha256 or source.oid).hex()]
        return recipe(self.config.builder, params, identity)

    def _take_over(self, source: Source) -> bool:
        """Let a source have the shards of another with the same recipe, in this repo."""
        same = (
            Source.objects.filter(
                split__config__snapshot__repo=self.repo,
                recipe=source.recipe,
                cast_to=source.cast_to,
                state=State.READY,
            )
            .exclude(pk=source.pk)
            .order_by("-pk")
            .first()
        )
        if same is None:
            return False
        rows = list(same.shards.order_by("kind", "ord"))
        digests = [bytes(row.sha256) for row in rows if row.sha256 is not None]
        held = blobs.held_or_adopted(repo=self.repo, digests=digests, by=ANONYMOUS)
        if len(held) < len(set(digests)):
            return False
        for row in rows:
            row.pk, row.source, row.split, row.path, row.first_row = (
                None,
                source,
                source.split,
                "",
                0,
            )
        self._file(source, rows, bytes(same.arrow_schema or b""), same.num_rows or 0)
        return True

    def _convert(
        self, source: Source, params: Mapping[str, Any], schema: bytes | None, folder: Path
    ) -> None:
        out = folder / "out"
        out.mkdir()
        is_link = self.config.builder == "parquet" and schema is None and _is_parquet(source)
        is_link = is_link and not params.get("columns")
        task = Task(
            "link" if is_link else "export",
            self.config.builder,
            self._files(source, folder),
            str(out),
            params,
            completing.text_of(schema) if schema else None,
        )
        done = children.run(task, self._tell)
        rows = [self._stored(source, shard, Shard.Kind.EXPORT) for shard in done.shards]
        if done.link is not None:
            for row in rows:
                row.kind = Shard.Kind.REPACK
            rows.append(_linked(source, done.link))
        for order, row in enumerate(rows):
            row.ord = order if row.kind != Shard.Kind.LINK else 0
        counted = [row for row in rows if row.kind != Shard.Kind.REPACK]
        num_rows = sum(row.num_rows for row in counted)
        own = bytes(source.arrow_schema) if schema and source.arrow_schema else None
        self._file(source, rows, own or completing.raw_of(done.schema), num_rows)

    def _tell(self, read: int) -> None:
        self.work.progress(min(self.done + read, self.total), self.total, self.path)

    def _files(self, source: Source, folder: Path) -> list[dict[str, Any]]:
        members = source.members or [
            [
                source.path,
                bytes(source.oid).hex(),
                bytes(source.sha256).hex() if source.sha256 else None,
                source.size,
            ]
        ]
        files = []
        for index, (path, oid, sha256, size) in enumerate(members):
            self.work.check()
            try:
                content = known_content(
                    self.repo, bytes.fromhex(oid), bytes.fromhex(sha256) if sha256 else None, path
                )
                local = lay_down(content, folder / f"source-{index}")
            except EntryNotFound as gone:
                raise UnreadableFile(f"{path}: {gone.message}") from None
            files.append({"name": path, "path": str(local), "size": size})
        return files

    def _stored(self, source: Source, shard: Mapping[str, Any], kind: Shard.Kind) -> Shard:
        """Bring a file that the child wrote into the store, as a large file of the repo."""
        self.work.check()
        store, path = blob_store(), Path(shard["file"])
        with path.open("rb") as file:
            staged = store.stage(iter(lambda: file.read(_PIECE), b""))
        size, sha256 = path.stat().st_size, staged.sha256
        blobs.accept(repo=self.repo, store=store, staged=staged, sha256=sha256, size=size, by=None)
        path.unlink()
        return Shard(
            split=source.split,
            source=source,
            kind=kind,
            sha256=sha256,
            oid=hash_object(ObjectKind.BLOB, bytes(Pointer(sha256, size))),
            size=size,
            **_measures(shard),
        )

    @transaction.atomic
    def _file(self, source: Source, rows: Sequence[Shard], schema: bytes, num_rows: int) -> None:
        Shard.objects.filter(source=source).delete()
        Shard.objects.bulk_create(rows)
        source.arrow_schema, source.num_rows, source.state = schema, num_rows, State.READY
        source.save()


def _hash(schema: bytes) -> str:
    return hashlib.sha256(schema).hexdigest()


def _is_parquet(source: Source) -> bool:
    return source.path.lower().endswith((".parquet", ".geoparquet", ".gpq"))


def _measures(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "num_rows": told["num_rows"],
        "num_bytes_memory": told["num_bytes_memory"],
        "group_rows": told["rows"],
        "group_offsets": told["offsets"],
        "group_lengths": told["lengths"],
    }


def _linked(source: Source, told: Mapping[str, Any]) -> Shard:
    return Shard(
        split=source.split,
        source=source,
        kind=Shard.Kind.LINK,
        sha256=source.sha256,
        oid=source.oid,
        size=source.size,
        **_measures(told),
    )
