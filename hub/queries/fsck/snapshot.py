"""One view of the database for a whole check, while others go on writing."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from hub.models import sql


@contextmanager
def snapshot() -> Iterator[None]:
    """Let every query inside see the same moment, so that a moving ref looks like no fault."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            sql.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
