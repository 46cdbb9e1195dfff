"""How an S3Store writes bytes aside: hashed as they pass, in parts that memory can hold."""

from types import TracebackType
from typing import Any, Final, Self

from botocore.exceptions import BotoCoreError, ClientError

from hub.storage.digests import Count, Tally
from hub.storage.ports import Staged
from hub.storage.s3_access import S3Access, errors_as_refusals

PART_BYTES: Final = 5 * 2**20
"""The least that S3 takes as a part: what each writer holds in memory, up to 2 GB."""
_PARTS_OF_ONE_SIZE: Final = 400
"""After so many, parts grow: 10,000 of them then make 640 GiB."""


def part_bytes(number: int) -> int:
    """How large the part of that number is to be, counted from 1."""
    return PART_BYTES * (1 + (number - 1) // _PARTS_OF_ONE_SIZE)


class S3Writer:
    """StageWriter on an S3 server. The object appears whole, or not at all.

    What fits into one part goes by one request; anything longer is a multipart upload.
    """

    def __init__(self, access: S3Access, name: str, key: str, *, hashed: bool) -> None:
        self._access = access
        self._name = name
        self._target = {"Bucket": access.address.bucket, "Key": key}
        self._tally = Tally() if hashed else Count()
        self._blocks: list[bytes | memoryview] = []
        self._block_bytes = 0
        self._upload = ""
        self._parts: list[dict[str, object]] = []
        self._open = True

    def write(self, chunk: bytes | memoryview, /) -> None:
        self._check_open()
        self._tally.add(chunk)
        rest = memoryview(chunk)
        while rest:
            room = part_bytes(len(self._parts) + 1) - self._block_bytes
            piece, rest = rest[:room], rest[room:]
            self._blocks.append(piece)
            self._block_bytes += len(piece)
            if len(piece) == room:
                self._send_part()

    def finish(self) -> Staged:
        self._check_open()
        try:
            with errors_as_refusals():
                self._complete()
        except BaseException:
            self.abandon()
            raise
        self._open = False
        digest = self._tally.digest()
        return Staged(self._name, digest.size, digest.sha256)

    def abandon(self) -> None:
        if not self._open:
            return
        self._open = False
        self._blocks = []
        if self._upload:
            # What cannot be dropped now is swept later; why we are here matters more.
            try:
                self._client.abort_multipart_upload(**self._target, UploadId=self._upload)
            except (BotoCoreError, ClientError):
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.abandon()

    @property
    def _client(self) -> Any:
        return self._access.client

    def _check_open(self) -> None:
        if not self._open:
            raise ValueError("These bytes are finished or abandoned")

    def _taken(self) -> bytes:
        block = b"".join(self._blocks)
        self._blocks, self._block_bytes = [], 0
        return block

    def _send_part(self) -> None:
        try:
            with errors_as_refusals():
                self._upload_part()
        except BaseException:
            self.abandon()
            raise

    def _upload_part(self) -> None:
        if not self._upload:
            begun = self._client.create_multipart_upload(**self._target)
            self._upload = begun["UploadId"]
        number = len(self._parts) + 1
        sent = self._client.upload_part(
            **self._target, UploadId=self._upload, PartNumber=number, Body=self._taken()
        )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    def _complete(self) -> None:
        if not self._upload:
            self._client.put_object(**self._target, Body=self._taken())
            return
        if self._block_bytes:
            self._upload_part()
        self._client.complete_multipart_upload(
            **self._target, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
        )
