"""Links of an S3 server that give a part of an object and no more: does it hold to that."""

import secrets
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Final

import structlog
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session

from hub.storage.s3_access import S3Access

log = structlog.get_logger(__name__)

_PARTIAL: Final = 206
_REFUSED: Final = frozenset({400, 401, 403})
_LINK_SECONDS: Final = 60


class SignedSpans:
    """Whether a bearer of a link gets the signed bytes alone; asked once in each process.

    Servers exist that do not look at the header that was signed: to those a link to a piece of a
    xorb would be one to all of it, and to the chunks of others in it.
    """

    def __init__(self, access: S3Access, place: Callable[[str], str]) -> None:
        """``place`` answers the object that is staged under a name."""
        self._access = access
        self._place = place
        self._lock = Lock()
        self._enforced: bool | None = None

    def enforced(self) -> bool:
        """A server that does not answer is asked again the next time, and trusted with nothing."""
        with self._lock:
            if self._enforced is None:
                try:
                    self._enforced = self._probe()
                except (BotoCoreError, ClientError) as error:
                    log.warning("store_spans_unknown", reason=type(error).__name__)
                    return False
            return self._enforced

    def _probe(self) -> bool:
        client, content = self._access.client, secrets.token_bytes(100)
        name = self._place(f"probe/{secrets.token_hex(8)}")
        target = {"Bucket": self._access.address.bucket, "Key": name}
        client.put_object(**target, Body=content)
        try:
            url = client.generate_presigned_url(
                "get_object", Params={**target, "Range": "bytes=0-9"}, ExpiresIn=_LINK_SECONDS
            )
            return keeps_to_span(url, content[:10])
        finally:
            client.delete_object(**target)


def keeps_to_span(url: str, content: bytes) -> bool:
    """Whether a link to the first bytes of a longer object gives these and refuses all others.

    Raises:
        BotoCoreError: the server does not answer.
    """
    signed = {"Range": f"bytes=0-{len(content) - 1}"}
    one_more = {"Range": f"bytes=0-{len(content)}"}
    others: list[dict[str, str]] = [one_more, {"Range": "bytes=1-"}, {}]
    is_given = follow(url, headers=signed) == (_PARTIAL, content)
    return is_given and all(follow(url, headers=headers)[0] in _REFUSED for headers in others)


def follow(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Do what the bearer of a link may do; answer status and body."""
    request = AWSRequest(method, url, data=body, headers=dict(headers or {})).prepare()
    answer = URLLib3Session().send(request)
    return int(answer.status_code), bytes(answer.content)
