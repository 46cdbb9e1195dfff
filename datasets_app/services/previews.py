"""Preview: the first rows of each split, long before its shards; of a large file its beginning."""

from pathlib import Path
from typing import Any

from django.utils import timezone

from datasets_app.errors import UnreadableFile, Unresolvable
from datasets_app.models import Artifact, Snapshot, Source, Split, State
from datasets_app.queries.files import lay_down, workplace
from datasets_app.queries.splits import splits_of
from datasets_app.readers.task import Task
from datasets_app.services import children
from datasets_app.services.completing import storable, text_of
from datasets_app.services.exporting import FORCED
from datasets_app.services.folders import folder_params
from datasets_app.shape import formats
from hub.errors import EntryNotFound
from hub.models import Repo
from hub.queries.content import known_content
from hub.services.working import Work

KIND = "preview"
_BEGINNING = 2 * 1024 * 1024
_FILES = 100


def preview(work: Work) -> dict[str, Any]:
    """Make the previews of the snapshot that the job names."""
    snapshot = (
        Snapshot.objects.select_related("repo__namespace")
        .filter(pk=work.params["snapshot"])
        .first()
    )
    if snapshot is None:
        return {}
    splits = [split for split in splits_of(snapshot) if split.state != State.FAILED]
    for count, split in enumerate(splits):
        work.progress(count, len(splits), f"{split.config.name}/{split.name}")
        if not _of(snapshot, split).filter(state=State.READY).exists():
            _make(work, snapshot, split)
    return {"splits": len(splits)}


def _of(snapshot: Snapshot, split: Split) -> Any:
    return Artifact.objects.filter(
        snapshot=snapshot, kind=KIND, config=split.config.name, split=split.name
    )


def _make(work: Work, snapshot: Snapshot, split: Split) -> None:
    source = split.sources.order_by("ord").first()
    if source is None:
        return
    values: dict[str, Any] = {"computed_at": timezone.now()}
    try:
        with workplace() as folder:
            values |= {"data": _read(work, snapshot.repo, split, source, folder)}
            values |= {"state": State.READY, "progress": 1.0}
    except (UnreadableFile, Unresolvable, EntryNotFound) as bad:
        code = getattr(bad, "viewer_code", "StreamingRowsError")
        error = storable({"message": bad.message, "path": source.path})
        values |= {"state": State.FAILED, "error_code": code, "error": error}
    Artifact.objects.update_or_create(
        snapshot=snapshot,
        kind=KIND,
        config=split.config.name,
        split=split.name,
        defaults=values,
    )


def _read(work: Work, repo: Repo, split: Split, source: Source, folder: Path) -> bytes:
    config = split.config
    out = folder / "out"
    out.mkdir()
    params = {**config.params, **folder_params(config, list(split.sources.all()))}
    is_forced = config.builder in FORCED and config.arrow_schema is not None
    files = [_laid(repo, one, folder, config.builder, at) for at, one in _members(source)]
    task = Task(
        "preview",
        config.builder,
        files,
        str(out),
        params,
        text_of(bytes(config.arrow_schema)) if is_forced and config.arrow_schema else None,
    )
    children.run(task, lambda _read: work.check())
    return (out / "preview.arrow").read_bytes()


def _members(source: Source) -> list[tuple[int, list[Any]]]:
    if source.members:
        names = formats.ALL_METADATA_NAMES
        described = [one for one in source.members if one[0].rpartition("/")[2] in names]
        kept = source.members if described else source.members[:_FILES]
        return list(enumerate(kept))
    sha256 = bytes(source.sha256).hex() if source.sha256 else None
    return [(0, [source.path, bytes(source.oid).hex(), sha256, source.size])]


def _laid(repo: Repo, member: list[Any], folder: Path, builder: str, at: int) -> dict[str, Any]:
    path, oid, sha256, size = member
    content = known_content(
        repo, bytes.fromhex(oid), bytes.fromhex(sha256) if sha256 else None, path
    )
    is_cut = builder in FORCED and size > _BEGINNING and not path.lower().endswith(".zip")
    most = _BEGINNING if is_cut else None
    local = lay_down(content, folder / f"source-{at}", most)
    return {"name": path, "path": str(local), "size": min(size, most or size)}
