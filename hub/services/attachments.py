"""Take in what comments show, let them show it, and collect what none shows.

Who uploads has not said yet what for, so a file is its uploader's alone until a comment of theirs
shows it; from then on it is for all who may read a discussion of that repo. A comment of somebody
else's that names it shows nothing that its repo did not show before.
"""

import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Sum

from hub.models import Attachment, DiscussionEvent, sql
from hub.queries.attachments import keys_in
from hub.queries.store import blob_store
from hub.services import blobs
from hub.services.collect_files import Dropped
from hub.storage.media import EXTENSIONS, looks_like
from teams.errors import Forbidden, Invalid, Unauthenticated
from teams.models import User
from teams.policies import Principal

MAX_VIDEO = 50 * 10**6
MAX_BYTES = 10 * 10**6
"""Bytes of one picture or sound, as clients are told; films may have more."""
MAX_A_DAY, MAX_BYTES_A_DAY = 200, 500 * 10**6
"""What one user may upload within a day: files, and bytes of them all."""
UNSHOWN = timedelta(days=1)
"""How long a file stays that no comment shows."""
_HEAD = 64
_DAY = timedelta(days=1)


def most_of(media_type: str) -> int:
    """How many bytes a file of this type may have.

    Raises:
        Invalid: comments show nothing of this type.
    """
    if media_type not in EXTENSIONS:
        raise Invalid(f"Comments show {', '.join(EXTENSIONS)}; not {media_type[:60]!r}.")
    return MAX_VIDEO if media_type.startswith("video/") else MAX_BYTES


def upload(*, media_type: str, pieces: Iterable[bytes], by: Principal, now: datetime) -> Attachment:
    """Take in a file; it is ``by``'s alone until a comment of theirs shows it.

    Raises:
        Unauthenticated: nobody is signed in.
        Invalid: it is not of the type that it is said to be, or comments show none such.
        Forbidden: ``by`` has uploaded enough for a day.
    """
    if by.user is None:
        raise Unauthenticated
    most_of(media_type)
    _check_day(by.user, now)
    store = blob_store()
    head = bytearray()
    staged = store.stage(_noting(head, pieces))
    if not looks_like(media_type, bytes(head)):
        store.abandon(staged.name)
        raise Invalid(f"This file is not what {media_type} looks like.")
    blobs.keep_unnamed(store=store, staged=staged)
    return Attachment.objects.create(
        key=secrets.token_hex(16),
        blob_id=staged.sha256,
        media_type=media_type,
        uploaded_by=by.user,
    )


def _noting(head: bytearray, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if len(head) < _HEAD:
            head += piece[:_HEAD]
        yield piece


def _check_day(user: User, now: datetime) -> None:
    since = Attachment.objects.filter(uploaded_by=user, created_at__gt=now - _DAY)
    had = since.aggregate(files=Count("pk"), nbytes=Sum("blob__size"))
    if had["files"] >= MAX_A_DAY or (had["nbytes"] or 0) >= MAX_BYTES_A_DAY:
        raise Forbidden("You have uploaded enough for a day. Come back tomorrow.")


# The rows are held until the end, so that none is collected meanwhile.
_SHOW = """
WITH shown AS MATERIALIZED (
    SELECT a.id FROM hub_attachment a WHERE a.key = ANY(%(keys)s) AND (
        a.uploaded_by_id = %(author)s OR EXISTS (
            SELECT FROM hub_attachmentuse u
            JOIN hub_discussionevent e ON e.id = u.comment_id
            JOIN hub_discussion d ON d.id = e.discussion_id
            WHERE u.attachment_id = a.id AND d.repo_id = %(repo)s))
    ORDER BY a.id FOR KEY SHARE OF a
)
INSERT INTO hub_attachmentuse (attachment_id, comment_id)
SELECT id, %(comment)s FROM shown ON CONFLICT DO NOTHING
"""


def show(comment: DiscussionEvent, by: User | None) -> None:
    """Note what a comment shows, within the transaction that writes it."""
    keys = keys_in(comment.text)
    if keys:
        values = {
            "keys": keys,
            "author": by.pk if by else None,
            "repo": comment.discussion.repo_id,
            "comment": comment.pk,
        }
        sql.run(_SHOW, values)


_IS_UNSHOWN = """
a.created_at < %(limit)s
AND NOT EXISTS (SELECT FROM hub_attachmentuse u WHERE u.attachment_id = a.id)
"""
_COUNT = """
SELECT count(*), coalesce(sum(b.size), 0)::bigint
FROM gone JOIN hub_blob b ON b.sha256 = gone.blob_id
"""


def collect_unshown(*, now: datetime, dry_run: bool = False) -> Dropped:
    """Forget what no comment shows; nobody needs its bytes then, if nobody else holds them."""
    values: dict[str, object] = {"limit": now - UNSHOWN}
    gone = f"SELECT a.blob_id FROM hub_attachment a WHERE {_IS_UNSHOWN}"
    with transaction.atomic():
        if not dry_run:
            # Whoever is about to show one holds its row: it is passed over, and whoever comes
            # after us finds it gone. The second look sees what was shown before.
            locked = f"SELECT a.id FROM hub_attachment a WHERE {_IS_UNSHOWN} FOR UPDATE SKIP LOCKED"
            values["ids"] = [pk for (pk,) in sql.rows(locked, values)]
            gone = (
                f"DELETE FROM hub_attachment a WHERE a.id = ANY(%(ids)s) AND {_IS_UNSHOWN} "
                "RETURNING a.blob_id"
            )
        found = sql.row(f"WITH gone AS ({gone}) {_COUNT}", values)
    return Dropped(*found) if found else Dropped(0, 0)
