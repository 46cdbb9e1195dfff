"""Whether the files that rows were made of may still be seen: rows tell what these say."""

from collections.abc import Collection

from datasets_app.models import Source, Split
from hub.errors import EntryNotFound
from hub.models import PurgedFile, Repo
from hub.queries.blobs import held
from hub.queries.scans import check_served, withholds


def check_sources(repo: Repo, split: Split) -> None:
    """Refuse rows of files that were deleted for good since, or that scanners withhold.

    Raises:
        EntryNotFound: one was deleted.
        FileWithheld: one is withheld.
    """
    has_purged = PurgedFile.objects.filter(repo=repo).exists()
    if not has_purged and not withholds(repo):
        return
    keys = {key for source in Source.objects.filter(split=split) for key in _keys(source)}
    if has_purged and _gone(repo, keys):
        raise EntryNotFound("A file that these rows are made of was deleted for good.")
    check_served(repo, *keys)


def purged_sources(repo: Repo) -> list[Source]:
    """The sources of a repo whose files were deleted for good."""
    rows = PurgedFile.objects.filter(repo=repo).values_list("sha256", flat=True)
    gone = _gone(repo, {bytes(sha256) for sha256 in rows})
    if not gone:
        return []
    sources = Source.objects.filter(split__config__snapshot__repo=repo).select_related(
        "split__config"
    )
    return [source for source in sources.iterator() if gone & set(_keys(source))]


def _gone(repo: Repo, keys: Collection[bytes]) -> set[bytes]:
    """Those that were deleted for good and did not come back."""
    rows = PurgedFile.objects.filter(repo=repo, sha256__in=keys).values_list("sha256", flat=True)
    purged = {bytes(sha256) for sha256 in rows}
    return purged - held(repo.pk, purged).keys()


def _keys(source: Source) -> list[bytes]:
    """By what verdicts on its files, and their deletion, are kept."""
    if source.members is None:
        return [bytes(source.sha256 or source.oid)]
    return [bytes.fromhex(sha256 or oid) for _path, oid, sha256, _size in source.members]
