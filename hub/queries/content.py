"""The bytes behind an entry, wherever they lie: in git, in one blob, in xorbs.

What is asked for here goes out, so scanners must have let it. ``stored_…`` is for the hub itself,
which looks at bytes and gives them to nobody.
"""

from hub.errors import EntryNotFound
from hub.models import Repo
from hub.queries.blobs import held
from hub.queries.objects import read_raw
from hub.queries.scans import check_served, key_of
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
        FileWithheld: scanners have not let it out.
    """
    check_served(repo, key_of(entry))
    return stored_content(repo, entry)


def pointer_of(repo: Repo, entry: EntryFacts) -> Content:
    """The bytes that git stores; for a large file that is its pointer.

    Raises:
        FileWithheld: scanners have not let the file out.
    """
    check_served(repo, key_of(entry))
    return _in_git(repo, entry.oid, entry.name)


def large_content(repo: Repo, sha256: bytes, name: str) -> Content:
    """The bytes of a large file that ``repo`` holds; as one blob if it can choose.

    Raises:
        EntryNotFound: it does not hold it, whoever else does.
        FileWithheld: scanners have not let it out.
        Damaged: its bytes are known to be.
    """
    check_served(repo, sha256)
    return stored_large(repo, sha256, name)


def known_content(repo: Repo, oid: bytes, sha256: bytes | None, name: str) -> Content:
    """The bytes of a file by the ids that the caller kept of its entry.

    Raises:
        EntryNotFound: its large file was deleted from the repo.
        FileWithheld: scanners have not let it out.
    """
    if sha256 is not None:
        return large_content(repo, sha256, name)
    check_served(repo, oid)
    return _in_git(repo, oid, name)


def stored_content(repo: Repo, entry: EntryFacts) -> Content:
    """As :func:`content_of`, whatever scanners say."""
    if entry.large is None:
        return _in_git(repo, entry.oid, entry.name)
    return stored_large(repo, entry.large.sha256, entry.name)


def _in_git(repo: Repo, oid: bytes, name: str) -> Content:
    raw = read_raw(repo.pk, oid)[1]
    return Content(name, oid.hex(), len(raw), lambda start, stop: iter([raw[start:stop]]))


def stored_large(repo: Repo, sha256: bytes, name: str) -> Content:
    """As :func:`large_content`, whatever scanners say."""
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
