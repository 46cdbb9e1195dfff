"""Make xorbs of large files that came as one blob, so that they too are sent and kept only once.

The client library does the work against our own CAS: what we store is what any client would send.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import IO

import structlog
from django.conf import settings
from django.db import transaction

from hub.errors import BadObject, BlobNotFound
from hub.models import Repo, sql
from hub.queries import xet
from hub.queries.store import blob_store
from hub.services import xet_tokens
from hub.services.xet_touching import touch
from hub.storage.digests import lfs_key
from hub.storage.large_files import iter_blob, iter_chunks
from teams.errors import Damaged, Invalid

log = structlog.get_logger(__name__)

LEAST_BYTES = 1024 * 1024
"""Smaller files are not worth their terms."""
TRY_AGAIN = timedelta(days=1)
_FINISH_SECONDS = 3600
_TOLD_BYTES = 2000
# What the sender remembers of xorbs goes with it: our memory of them is the database. And who can
# come again tomorrow need not knock for six minutes.
_ENVIRON = {
    "PATH": "",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_XET_CLIENT_RETRY_BASE_DELAY": "500ms",
}

_PENDING = """
SELECT b.sha256 FROM hub_blob b
WHERE b.size >= %s AND b.damaged_at IS NULL
AND (b.conversion_tried_at IS NULL OR b.conversion_tried_at < now() - %s::interval)
AND EXISTS (SELECT FROM hub_repoblob r WHERE r.blob_id = b.sha256)
ORDER BY b.created_at LIMIT 1
"""
# Who sets the time has the file: for a day no other worker takes it, though this one be killed.
_CLAIM = """
UPDATE hub_blob SET conversion_tried_at = clock_timestamp() WHERE sha256 = %s
AND (conversion_tried_at IS NULL OR conversion_tried_at < now() - %s::interval)
RETURNING size
"""


def convert_pending() -> int:
    """Convert blobs, the oldest first, until none waits; answer how many were converted.

    One that fails is left as it is and waits for a day.
    """
    return sum(convert(sha256) for sha256 in _pending())


def _pending() -> Iterator[bytes]:
    while row := sql.row(_PENDING, [LEAST_BYTES, TRY_AGAIN]):
        yield row[0]


def convert(sha256: bytes) -> bool:
    """Let every repo that holds a blob hold it as terms instead; say whether that was done.

    The bytes rebuilt from xorbs are hashed before any repo lets go of the blob. Its own bytes stay
    until garbage collection finds that nobody holds them.
    """
    claimed = sql.row(_CLAIM, [sha256, TRY_AGAIN])
    repo = Repo.objects.filter(blob_rows__blob_id=sha256).order_by("pk").first()
    if claimed is None or repo is None:
        return False
    file_id = _sound_file(sha256)
    if file_id is None and _send(repo, sha256, claimed[0]):
        file_id = _sound_file(sha256)
    is_done = file_id is not None and _exchange(sha256, file_id)
    log.info("converted" if is_done else "not_converted", sha256=sha256.hex(), bytes=claimed[0])
    return is_done


def _sound_file(sha256: bytes) -> int | None:
    """A file of terms that gives exactly these bytes, read just now."""
    for file_id, layout in xet.layouts_by_sha256(sha256):
        digest = hashlib.sha256()
        with suppress(BadObject, BlobNotFound, Damaged):
            xet.check_sound(layout.columns)
            for piece in iter_chunks(blob_store(), layout.terms, layout.extent, 0, layout.size):
                digest.update(piece)
            if digest.digest() == sha256:
                return file_id
    return None


def _send(repo: Repo, sha256: bytes, size: int) -> bool:
    token = xet_tokens.issue_own(repo)
    told = {
        "cas": f"{settings.INTERNAL_URL}/xet/{token.cas}",
        "token": token.text,
        "expires": token.expires,
        "sha256": sha256.hex(),
    }
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as output:
        sender = subprocess.Popen(
            [sys.executable, "-m", "hub.xet.sending"],
            cwd=settings.BASE_DIR,
            env=_ENVIRON | {"HOME": home, "HF_XET_CACHE": home},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
        try:
            _feed(sender.stdin, json.dumps(told).encode() + b"\n", sha256, size)
            code = sender.wait(_FINISH_SECONDS)
        finally:
            sender.kill()
            sender.wait()
        if code:
            log.warning("conversion_failed", sha256=sha256.hex(), told=_tail(output))
        return code == 0


def _feed(target: IO[bytes] | None, head: bytes, sha256: bytes, size: int) -> None:
    # A sender that gave up says why by itself.
    with suppress(BrokenPipeError):
        if target is not None:
            target.write(head)
            for piece in iter_blob(blob_store(), lfs_key(sha256), 0, size):
                target.write(piece)
            target.close()


def _tail(output: IO[bytes]) -> str:
    end = output.seek(0, 2)
    output.seek(max(0, end - _TOLD_BYTES))
    return output.read().decode(errors="replace")


_EXCHANGE = """
WITH gone AS (
    DELETE FROM hub_repoblob WHERE blob_id = %(sha256)s
    RETURNING repo_id, uploaded_by_id, created_at, is_named
)
INSERT INTO hub_xetrepofile
    (repo_id, file_id, sha256, uploaded_by_id, created_at, touched_at, is_named)
SELECT repo_id, %(file)s, %(sha256)s, uploaded_by_id, created_at, now(), is_named FROM gone
ON CONFLICT (repo_id, file_id) DO UPDATE
SET touched_at = now(), is_named = hub_xetrepofile.is_named OR EXCLUDED.is_named
"""


@transaction.atomic
def _exchange(sha256: bytes, file_id: int) -> bool:
    """Give each repo that holds the blob the file instead, unless that was just collected."""
    if sql.row("SELECT 1 FROM hub_xetfile WHERE id = %s FOR KEY SHARE", [file_id]) is None:
        return False
    rows = sql.rows(
        "SELECT x.hash FROM hub_xorb x JOIN hub_xetfilexorb n ON n.xorb_id = x.id "
        "WHERE n.file_id = %s",
        [file_id],
    )
    try:
        touch([xorb for (xorb,) in rows])
    except Invalid:
        return False
    sql.run(_EXCHANGE, {"sha256": sha256, "file": file_id})
    # From now on the days count after which the blob is collected.
    sql.run("UPDATE hub_blob SET touched_at = now() WHERE sha256 = %s", [sha256])
    return True
