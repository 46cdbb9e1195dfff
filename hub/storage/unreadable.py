"""A disk that cannot read what it was given: to whoever checks bytes that is damage, no crash."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from hub.errors import BadObject


@contextmanager
def unreadable_as_damage() -> Iterator[None]:
    """Speak of bytes that the disk cannot read as of bytes that are wrong.

    Raises:
        BadObject: it cannot.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise BadObject("The disk cannot read it.") from error
