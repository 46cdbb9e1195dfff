"""Take in the shards that Xet clients upload: checked, hashed, and registered."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from hub.crashpoints import Point, reach
from hub.errors import BadObject, DamagedXorb
from hub.models import Repo, XetFile, XetFileXorb, XetRepoFile, sql
from hub.queries import xet
from hub.queries.store import blob_store
from hub.queries.xet import KnownXorb, XetLayout
from hub.services import scrubbing, xet_dedup, xet_shards
from hub.services.xet_dedup import DedupChunk
from hub.services.xet_shards import StoredShard
from hub.services.xet_touching import touch
from hub.storage.large_files import Piece, iter_chunks
from hub.xet.hashing import to_text
from hub.xet.shards import FileInfo, parse_shard, verify_file, verify_xorb_info
from teams.errors import Invalid
from teams.models import User

PROGRESS_BYTES = 64 * 1024 * 1024
"""How much is hashed between two signs of life."""


@dataclass(frozen=True, slots=True)
class CheckedShard:
    """A shard whose every hash but the sha256 of its files was found true."""

    files: Sequence[tuple[FileInfo, XetLayout]]
    """Files that we do not have yet."""
    known: Sequence[FileInfo]
    """Files that we have already, with the sha256 that we once computed."""
    worn: frozenset[bytes]
    """Those of ``files`` that we have already, but over damaged xorbs."""
    xorbs: Mapping[bytes, KnownXorb]
    domain_id: int
    dedup_chunks: Sequence[DedupChunk]
    body: bytes

    @property
    def size(self) -> int:
        return sum(layout.size for _file, layout in self.files)


def check_shard(body: bytes, *, domain_id: int) -> CheckedShard:
    """Check all that a shard says but the sha256 of its files.

    Raises:
        BadObject: it is malformed, or not true.
        Invalid: it names a xorb that the domain does not have.
    """
    shard = parse_shard(body)
    used = {term.xorb for file in shard.files for term in file.terms}
    xorbs = xet.check_known(domain_id, used | {info.hash for info in shard.xorbs})
    for info in shard.xorbs:
        verify_xorb_info(info, xet.xorb_index(info.hash))
    sizes = {file.hash: verify_file(file, xet.xorb_index) for file in shard.files}
    true = dict(XetFile.objects.filter(hash__in=list(sizes)).values_list("hash", "sha256"))
    digests = {bytes(file): bytes(sha256) for file, sha256 in true.items()}
    for file in [file for file in shard.files if file.hash in digests]:
        _compare(file, digests[file.hash])
    # Whoever brings a file anew whose xorbs are damaged heals it, over whatever xorbs it lies now.
    worn = frozenset(xet.damaged_files(digests))
    # A shard may name a file twice, over different xorbs: one of them will do.
    files = {file.hash: file for file in shard.files}
    known = [file for digest, file in files.items() if digest in digests and digest not in worn]
    rest = [file for digest, file in files.items() if digest not in digests or digest in worn]
    needed = {term.xorb for file in rest for term in file.terms}
    columns = xet.columns_of(needed)
    if len(columns) < len(needed):
        raise Invalid("A xorb was deleted while it was being used. Upload it again.")
    new = [(file, XetLayout(sizes[file.hash], file.terms, columns)) for file in rest]
    reach(Point.SHARD_CHECKED)
    return CheckedShard(new, known, worn, xorbs, domain_id, xet_dedup.chunks_of(shard), body)


def register(shard: CheckedShard, *, repo: Repo, by: User | None) -> Iterator[int]:
    """Hash the files of a shard and let ``repo`` name them, all or none.

    Yields how many bytes were hashed so far. Nothing is registered before the end.

    Raises:
        BadObject: a file does not have the sha256 that it was said to have.
    """
    done = 0
    yield done
    for file, layout in shard.files:
        digest = hashlib.sha256()
        told = done
        for piece in _read(layout):
            digest.update(piece)
            done += len(piece)
            if done - told >= PROGRESS_BYTES:
                told = done
                yield done
        _compare(file, digest.digest())
    reach(Point.SHARD_HASHED)
    _insert_files(shard, xet_shards.store(shard.body), repo, by)
    reach(Point.SHARD_REGISTERED)


def _read(layout: XetLayout) -> Iterator[Piece]:
    try:
        yield from iter_chunks(blob_store(), layout.terms, layout.extent, 0, layout.size)
    except DamagedXorb as fault:
        scrubbing.look_at_xorb(fault.xorb)
        raise


def _compare(file: FileInfo, sha256: bytes) -> None:
    if file.sha256 != sha256:
        raise BadObject(
            f"File {to_text(file.hash)} has SHA-256 {sha256.hex()}, "
            f"not {file.sha256.hex()} as announced."
        )


@transaction.atomic
def _insert_files(shard: CheckedShard, kept: StoredShard, repo: Repo, by: User | None) -> None:
    xet_shards.note(kept)
    touch(list(shard.xorbs))
    # Asked again: one may have been collected and have come again, to another row.
    known = xet.check_known(shard.domain_id, shard.xorbs)
    ids = {xorb: one.id for xorb, one in known.items()}
    terms = {file.hash: xet.packed_terms(file.terms, ids) for file, _layout in shard.files}
    XetFile.objects.bulk_create(
        [
            XetFile(
                hash=file.hash,
                sha256=file.sha256,
                size=layout.size,
                terms=terms[file.hash],
                shard_id=kept.sha256,
            )
            for file, layout in shard.files
        ],
        ignore_conflicts=True,
    )
    _mend({file: terms[file] for file in sorted(shard.worn)}, kept)
    files = [*(file for file, _layout in shard.files), *shard.known]
    rows = _locked_files([file.hash for file in files])
    pks = {file: row[0] for file, row in rows.items()}
    XetFileXorb.objects.bulk_create(
        [
            XetFileXorb(file_id=pks[file.hash], xorb_id=xorb_id)
            for file, _layout in shard.files
            # Somebody else may have been first, over other xorbs.
            if rows[file.hash][1] == terms[file.hash]
            for xorb_id in sorted({ids[term.xorb] for term in file.terms})
        ],
        ignore_conflicts=True,
    )
    XetRepoFile.objects.bulk_create(
        [
            XetRepoFile(repo=repo, file_id=pks[file.hash], sha256=file.sha256, uploaded_by=by)
            for file in files
        ],
        update_conflicts=True,
        unique_fields=["repo", "file"],
        update_fields=["touched_at"],
    )
    chunks = [(one.chunk, ids[one.xorb], pks[one.file]) for one in shard.dedup_chunks]
    xet_dedup.remember(shard.domain_id, chunks)
    reach(Point.SHARD_INSERTED)


def _mend(terms: Mapping[bytes, bytes], kept: StoredShard) -> None:
    """Let files lie over other xorbs than before; who needs which is then to be written anew."""
    for file, packed in terms.items():
        sql.run(
            "UPDATE hub_xetfile SET terms = %s, shard_id = %s WHERE hash = %s",
            [packed, kept.sha256, file],
        )
        sql.run(
            "DELETE FROM hub_xetfilexorb n USING hub_xetfile f "
            "WHERE f.id = n.file_id AND f.hash = %s",
            [file],
        )


def _locked_files(files: Sequence[bytes]) -> dict[bytes, tuple[int, bytes]]:
    """The ids and terms of files, none of which can be deleted until the transaction ends.

    Raises:
        Invalid: one was collected since it was looked at.
    """
    rows = sql.rows(
        "SELECT hash, id, terms FROM hub_xetfile WHERE hash = ANY(%s) ORDER BY hash FOR KEY SHARE",
        [list(files)],
    )
    if len(rows) != len(set(files)):
        raise Invalid("A file was deleted while it was being registered. Upload it again.")
    return {digest: (file_id, terms) for digest, file_id, terms in rows}
