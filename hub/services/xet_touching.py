"""Keep xorbs from being collected while somebody relies on them."""

from collections.abc import Sequence

from django.db import transaction

from hub.models import sql
from teams.errors import Invalid


@transaction.atomic
def touch(xorbs: Sequence[bytes]) -> None:
    """Take their locks until the transaction ends, and save those that were condemned.

    Locked in one order, so that no two callers wait in a ring.

    Raises:
        Invalid: one was collected since it was looked at.
    """
    if not xorbs:
        return
    found = sql.rows(
        "SELECT hash FROM hub_xorb WHERE hash = ANY(%s) ORDER BY hash FOR NO KEY UPDATE",
        [list(xorbs)],
    )
    if len(found) != len(set(xorbs)):
        raise Invalid("A xorb was deleted while it was being used. Upload it again.")
    sql.run(
        "UPDATE hub_xorb SET touched_at = now(), condemned_at = NULL WHERE hash = ANY(%s)",
        [list(xorbs)],
    )
