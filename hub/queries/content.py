"""The bytes behind an entry, wherever they lie: in git, in one blob, in xorbs."""

from hub.errors import EntryNotFound
from hub.models import Repo
from hub.queries.blobs import held
from hub.queries.objects import read_raw
from hub.queries.store import blob_store
from hub.queries.trees import EntryFacts
from hub.queries.xet import chunk_hashes, layout_of
from hub.storage.digests import lfs_key
from hub.storage.large_files import Content, iter_blob, iter_xet
from teams.errors import Damaged


def content_of(repo: Repo, entry: EntryFacts) -> Content:
    """The bytes that a download of ``entry`` gives.

    Raises:
        EntryNotFound: its large file was deleted from the repo.
    """
    if entry.large is None:
        return pointer_of(repo, entry)
    return large_content(repo, entry.large.sha256, entry.name)


def pointer_of(repo: Repo, entry: EntryFacts) -> Content:
    """The bytes that git stores; for a large file that is its pointer."""
    raw = read_raw(repo.pk, entry.oid)[1]
    return Content(
        entry.name, entry.oid.hex(), len(raw), lambda start, stop: iter([raw[start:stop]])
    )


def large_content(repo: Repo, sha256: bytes, name: str) -> Content:
    """The bytes of a large file that ``repo`` holds; as one blob if it can choose.

    Raises:
        EntryNotFound: it does not hold it, whoever else does.
        Damaged: its bytes are known to be.
    """
    found = held(repo.pk, [sha256]).get(sha256)
    if found is None:
        raise EntryNotFound(f"The large file {sha256.hex()} is not in this repo.")
    store = blob_store()
    etag = sha256.hex()
    if found.as_blob and not found.blob_is_damaged:
        key = lfs_key(sha256)
        return Content(
            name, etag, found.size, lambda start, stop: iter_blob(store, key, start, stop), key
        )
    if found.xet_hash is None:
        raise Damaged
    layout = layout_of(repo.pk, found.xet_hash)
    return Content(
        name,
        etag,
        found.size,
        lambda start, stop: iter_xet(store, layout.terms, layout.extent, start, stop, chunk_hashes),
    )
