"""Who may write a key of an S3 server: one at a time, held by an object beside it.

A server-side copy replaces whatever has the key, and few servers let it be conditional. A plain
PUT with ``If-None-Match: *`` is conditional on most: whoever so creates the claim may copy. A claim
is a lease, so that one that outlived its process is passed over.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any, Final

import structlog
from botocore.exceptions import ClientError

from hub.errors import StoreUnavailable
from hub.storage.s3_access import S3Access, is_gone, is_taken, status_of

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(minutes=5)
"""Longer than the copy of one part takes; a longer copy renews its claim."""
PATIENCE_SECONDS: Final = 600.0
"""How long one waits for the claim of another: for one that is renewed now and then, too."""
_FIRST_WAIT_SECONDS: Final = 0.02
_LONGEST_WAIT_SECONDS: Final = 1.0
_CANNOT: Final = frozenset({400, 405, 501})
"""What servers answer that know no conditional PUT."""


class Claims:
    """The claims of one process. ``place`` answers the object that claims a key."""

    def __init__(self, access: S3Access, place: Callable[[str], str]) -> None:
        self._access = access
        self._place = place
        self._token = secrets.token_hex(16).encode()
        self._lock = Lock()
        self._enforced: bool | None = None

    @contextmanager
    def claim(self, key: str, *, until: Callable[[], bool]) -> Iterator[bool]:
        """Hold the claim of ``key``; or answer False as soon as ``until`` is true.

        Raises:
            StoreUnavailable: another held it all the time.
        """
        mine = self._token + secrets.token_hex(8).encode()
        held = not until() and self._won(key, mine, until)
        try:
            yield held
        finally:
            if held:
                self._drop(key)

    def renew(self, key: str) -> None:
        """Begin the lease of a claim that we hold anew."""
        self._client.put_object(**self._target(key), Body=self._token)

    def enforced(self) -> bool:
        """Whether the server lets only the first create an object; found out once."""
        with self._lock:
            if self._enforced is None:
                self._enforced = self._probe()
                if not self._enforced:
                    log.warning("store_writes_unconditionally")
            return self._enforced

    @property
    def _client(self) -> Any:
        return self._access.client

    def _target(self, key: str) -> dict[str, str]:
        return {"Bucket": self._access.address.bucket, "Key": self._place(key)}

    def _won(self, key: str, mine: bytes, until: Callable[[], bool]) -> bool:
        if not self.enforced():
            return True
        end = time.monotonic() + PATIENCE_SECONDS
        wait = _FIRST_WAIT_SECONDS
        while not self._create(key, mine):
            if until():
                return False
            if time.monotonic() > end:
                raise StoreUnavailable("Another upload of the same bytes does not end.")
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        return True

    def _create(self, key: str, mine: bytes) -> bool:
        try:
            self._client.put_object(**self._target(key), Body=mine, IfNoneMatch="*")
        except ClientError as error:
            if not is_taken(error):
                raise
            return self._is_ours_or_none(key, mine)
        return True

    def _is_ours_or_none(self, key: str, mine: bytes) -> bool:
        """Whether the claim is ours after all: its answer was lost and it was asked for again."""
        try:
            found = self._client.get_object(**self._target(key))
        except ClientError as error:
            if is_gone(error):
                return False
            raise
        with found["Body"] as body:
            if body.read() == mine:
                return True
        # Both moments are the server's: our own clock may say anything.
        now = parsedate_to_datetime(found["ResponseMetadata"]["HTTPHeaders"]["date"])
        if now - found["LastModified"] > LEASE:
            log.warning("claim_outlived_its_process", key=key)
            self._drop(key)
        return False

    def _drop(self, key: str) -> None:
        self._client.delete_object(**self._target(key))

    def _probe(self) -> bool:
        target = self._target(f"probe/{secrets.token_hex(8)}")
        try:
            self._client.put_object(**target, Body=b"1", IfNoneMatch="*")
            self._client.put_object(**target, Body=b"2", IfNoneMatch="*")
        except ClientError as error:
            if not is_taken(error) and status_of(error) not in _CANNOT:
                raise
            return is_taken(error)
        else:
            return False
        finally:
            self._client.delete_object(**target)
