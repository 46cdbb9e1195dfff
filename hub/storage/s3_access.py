"""How we speak to an S3 server: its address, a client that any such server understands, errors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from hub.errors import BlobNotFound, StoreUnavailable
from teams.errors import OutOfSpace, Refusal

log = structlog.get_logger(__name__)

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 120
"""A server may copy a gigabyte before it answers."""
ATTEMPTS: Final = 4
CONNECTIONS: Final = 128
"""One for each thread of a web process, and some for what a thread reads and writes at once."""

_GONE: Final = frozenset({"NoSuchKey", "NoSuchUpload", "NotFound", "404"})
_FULL: Final = frozenset({"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "507"})
_TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
_PAST_THE_END: Final = frozenset({"InvalidRange", "416"})


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where a bucket is, and as whom we come; without a key as the machine's own role."""

    bucket: str
    prefix: str = ""
    """What all keys of ours begin with; empty, or with a slash at its end."""
    endpoint: str = ""
    """Empty for Amazon's own."""
    public_endpoint: str = ""
    """Where clients reach the same server, if elsewhere."""
    region: str = "us-east-1"
    key: str = ""
    secret: str = field(default="", repr=False)


class S3Access:
    """The clients of one process: made when first needed, and again after a fork.

    A client is shared by threads; two processes must not share its connections.
    """

    def __init__(self, address: S3Address) -> None:
        self.address = address
        self._lock = Lock()
        self._owner = 0
        self._clients: dict[str, Any] = {}

    @property
    def client(self) -> Any:
        """For our own requests."""
        return self._client(self.address.endpoint)

    @property
    def signer(self) -> Any:
        """Writes links for clients of ours; it sends nothing itself."""
        return self._client(self.address.public_endpoint or self.address.endpoint)

    def _client(self, endpoint: str) -> Any:
        with self._lock:
            if self._owner != os.getpid():
                self._owner, self._clients = os.getpid(), {}
            if endpoint not in self._clients:
                self._clients[endpoint] = client_of(self.address, endpoint)
            return self._clients[endpoint]


def client_of(address: S3Address, endpoint: str) -> Any:
    """A client with settings that every S3 server tried so far understands."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=address.region,
        aws_access_key_id=address.key or None,
        aws_secret_access_key=address.secret or None,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint else "auto"},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Newer checksums are sent in trailers that older servers take for content.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@contextmanager
def errors_as_refusals() -> Iterator[None]:
    """Speak of what a server answers as the refusal that it amounts to.

    Raises:
        BlobNotFound: there is no such object.
        OutOfSpace: the server is full, or our quota is.
        StoreUnavailable: it cannot be reached, lets us not in, or failed.
    """
    try:
        yield
    except ClientError as error:
        raise _refusal_of(error) from error
    except BotoCoreError as error:
        log.error("store_unreachable", reason=type(error).__name__)  # noqa: TRY400 - no traceback
        raise StoreUnavailable from error


def is_gone(error: ClientError) -> bool:
    return code_of(error) in _GONE


def is_taken(error: ClientError) -> bool:
    """Whether the object that was not to be there is there."""
    return code_of(error) in _TAKEN


def is_past_the_end(error: ClientError) -> bool:
    return code_of(error) in _PAST_THE_END


def code_of(error: ClientError) -> str:
    """The name that S3 has for an error; the status for a HEAD, whose answer has no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _refusal_of(error: ClientError) -> Refusal:
    if is_gone(error):
        return BlobNotFound()
    if code_of(error) in _FULL or status_of(error) == 507:  # noqa: PLR2004 - insufficient storage
        return OutOfSpace()
    log.error("store_refused", code=code_of(error), operation=error.operation_name)
    return StoreUnavailable()
