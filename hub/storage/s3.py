"""BlobStore on any S3 server: written aside, hashed by us, copied by the server to its key."""

import io
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

from botocore.exceptions import ClientError

from hub.errors import BlobNotFound
from hub.storage.digests import (
    STAGING,
    checked_key,
    checked_name,
    checked_prefix,
    chunks_of,
    digest_of,
    is_key,
    is_name,
)
from hub.storage.ports import Link, LinkedParts, Staged
from hub.storage.s3_access import (
    S3Access,
    S3Address,
    errors_as_refusals,
    is_gone,
    is_past_the_end,
)
from hub.storage.s3_claims import Claims
from hub.storage.s3_copying import copy
from hub.storage.s3_reading import S3Reader
from hub.storage.s3_spans import SignedSpans
from hub.storage.s3_writing import S3Writer

_READ_BUFFER: Final = 1 << 16


class S3Store:
    """Objects of one bucket below one prefix; any number of processes may use the same."""

    def __init__(self, address: S3Address, *, direct: bool = True) -> None:
        self._access = S3Access(address)
        self._bucket = address.bucket
        self._prefix = address.prefix
        self._direct = direct
        self._claims = Claims(self._access, self._claim_of)
        self._spans = SignedSpans(self._access, self._aside)

    # Staging

    def stage(self, chunks: Iterable[bytes], *, name: str | None = None) -> Staged:
        with self.open_stage(name=name) as writer:
            for chunk in chunks:
                writer.write(chunk)
            return writer.finish()

    def open_stage(self, *, name: str | None = None, hashed: bool = True) -> S3Writer:
        name = _fresh_name() if name is None else name
        return S3Writer(self._access, name, self._aside(name), hashed=hashed)

    def open_staged(self, name: str) -> BinaryIO:
        return self._opened(self._aside(name), 0, None)

    def join(self, names: Sequence[str]) -> Staged:
        with self.open_stage() as writer:
            for name in names:
                with self.open_staged(name) as part:
                    for chunk in chunks_of(part):
                        writer.write(chunk)
            return writer.finish()

    def publish(self, staged: Staged | str, key: str) -> bool:
        name = staged if isinstance(staged, str) else staged.name
        source, home = self._aside(name), self._home(key)
        with errors_as_refusals():
            first = self._settle(source, home, key)
            self._client.delete_object(Bucket=self._bucket, Key=source)
        return first

    def abandon(self, name: str) -> None:
        target = {"Bucket": self._bucket, "Key": self._aside(name)}
        with errors_as_refusals():
            self._client.delete_object(**target)
            for upload, _begun in self._uploads(target["Key"]):
                if upload["Key"] == target["Key"]:
                    self._abort(upload)

    def stale(self, older_than: datetime) -> Iterator[str]:
        start = self._prefix + f"{STAGING}/"
        with errors_as_refusals():
            found = {one["Key"]: one["LastModified"] for one in self._listed(start)}
            for upload, written in self._uploads(start):
                found[upload["Key"]] = max(written, found.get(upload["Key"], written))
        for key, written in sorted(found.items()):
            name = key.removeprefix(start)
            if is_name(name) and written < older_than:
                yield name

    # Keys

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        if start < 0 or (length is not None and length < 0):
            raise ValueError(f"No range starts at {start} with {length} bytes")
        return self._opened(self._home(key), start, length)

    def size(self, key: str) -> int | None:
        found = self._head(self._home(key))
        return None if found is None else int(found["ContentLength"])

    def published_at(self, key: str) -> datetime | None:
        found = self._head(self._home(key))
        return None if found is None else found["LastModified"]

    def path(self, key: str) -> Path | None:
        checked_key(key)
        return None

    def drop(self, key: str) -> None:
        home = self._home(key)
        with errors_as_refusals():
            self._client.delete_object(Bucket=self._bucket, Key=home)

    def keys(self, prefix: str = "") -> Iterator[str]:
        start = self._prefix + checked_prefix(prefix)
        with errors_as_refusals():
            for one in self._listed(start):
                key: str = one["Key"].removeprefix(self._prefix)
                if is_key(key):
                    yield key

    def free_bytes(self) -> int | None:
        return None

    # Links

    def sign_get(
        self, key: str, *, lasts: timedelta, disposition: str = "", media_type: str = ""
    ) -> str | None:
        if not self._direct:
            return None
        told = {"ResponseContentDisposition": disposition, "ResponseContentType": media_type}
        wanted = {name: value for name, value in told.items() if value}
        return self._signed("get_object", self._home(key), lasts, **wanted)

    def sign_span(self, key: str, span: tuple[int, int], *, lasts: timedelta) -> str | None:
        if not self._direct or not self._spans.enforced():
            return None
        start, stop = span
        wanted = f"bytes={start}-{stop - 1}"
        return self._signed("get_object", self._home(key), lasts, Range=wanted)

    def sign_put(self, name: str, *, size: int, lasts: timedelta) -> Link | None:
        # Without a body some clients name no length, and the signature is over it.
        if not self._direct or not size:
            return None
        url = self._signed("put_object", self._aside(name), lasts, ContentLength=size)
        return Link(url, {})

    def sign_parts(
        self, name: str, *, sizes: Sequence[int], lasts: timedelta
    ) -> LinkedParts | None:
        if not self._direct:
            return None
        key = self._aside(name)
        with errors_as_refusals():
            begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=key)
        upload: str = begun["UploadId"]
        urls = [
            self._signed(
                "upload_part", key, lasts, UploadId=upload, PartNumber=number, ContentLength=size
            )
            for number, size in enumerate(sizes, 1)
        ]
        return LinkedParts(upload, urls)

    def end_parts(self, name: str, upload: str, *, parts: int) -> None:
        target = {"Bucket": self._bucket, "Key": self._aside(name), "UploadId": upload}
        with errors_as_refusals():
            pages = self._client.get_paginator("list_parts").paginate(**target)
            came = [part for page in pages for part in page.get("Parts", ())]
            if [part["PartNumber"] for part in came] != list(range(1, parts + 1)):
                raise BlobNotFound(f"Not all parts of {name} came.")
            named = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in came]
            self._client.complete_multipart_upload(**target, MultipartUpload={"Parts": named})

    def withdraw(self, name: str) -> str:
        source, fresh = self._aside(name), _fresh_name()
        with errors_as_refusals():
            copy(self._access, source, self._aside(fresh))
            self._client.delete_object(Bucket=self._bucket, Key=source)
        return fresh

    # Within

    @property
    def _client(self) -> Any:
        return self._access.client

    def _aside(self, name: str) -> str:
        return f"{self._prefix}{STAGING}/{checked_name(name)}"

    def _home(self, key: str) -> str:
        return self._prefix + checked_key(key)

    def _claim_of(self, key: str) -> str:
        # Hashed, so that no key is too long to be claimed.
        return self._aside(f"claims/{digest_of([key.encode()]).hex}")

    def _settle(self, source: str, home: str, key: str) -> bool:
        """Copy what is staged to its key, unless another was first."""
        with self._claims.claim(key, until=lambda: self._head(home) is not None) as claimed:
            # Somebody may have finished between our look and our claim.
            if not claimed or self._head(home) is not None:
                return False
            copy(self._access, source, home, after_part=lambda: self._claims.renew(key))
            return True

    def _head(self, key: str) -> Any:
        with errors_as_refusals():
            try:
                return self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if is_gone(error):
                    return None
                raise

    def _opened(self, key: str, start: int, length: int | None) -> BinaryIO:
        target = {"Bucket": self._bucket, "Key": key}
        last = "" if length is None else start + length - 1
        if length == 0:
            if self._head(key) is None:
                raise BlobNotFound(f"There are no bytes under {key}.")
            return io.BytesIO()
        with errors_as_refusals():
            try:
                found = self._client.get_object(**target, Range=f"bytes={start}-{last}")
            except ClientError as error:
                if is_past_the_end(error):
                    return io.BytesIO()
                raise

        def again(at: int) -> Any:
            span = f"bytes={at}-{last}"
            return self._client.get_object(**target, Range=span, IfMatch=found["ETag"])["Body"]

        reader = S3Reader(again, found["Body"], start, int(found["ContentLength"]))
        return io.BufferedReader(reader, _READ_BUFFER)

    def _listed(self, start: str) -> Iterator[Any]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=start):
            yield from page.get("Contents", ())

    def _uploads(self, start: str) -> Iterator[tuple[Any, datetime]]:
        """Unfinished uploads to keys that begin so, and when the last part of each came."""
        pages = self._client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self._bucket, Prefix=start):
            for upload in page.get("Uploads", ()):
                yield upload, self._last_written(upload)

    def _last_written(self, upload: Any) -> datetime:
        begun: datetime = upload["Initiated"]
        pages = self._client.get_paginator("list_parts")
        target = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
        try:
            found = [
                part["LastModified"]
                for page in pages.paginate(Bucket=self._bucket, **target)
                for part in page.get("Parts", ())
            ]
        except ClientError as error:
            if is_gone(error):
                return begun
            raise
        return max(found, default=begun)

    def _abort(self, upload: Any) -> None:
        try:
            self._client.abort_multipart_upload(
                Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
            )
        except ClientError as error:
            if not is_gone(error):
                raise

    def _signed(self, operation: str, key: str, lasts: timedelta, **more: object) -> str:
        url: str = self._access.signer.generate_presigned_url(
            operation,
            Params={"Bucket": self._bucket, "Key": key, **more},
            ExpiresIn=int(lasts.total_seconds()),
        )
        return url


def _fresh_name() -> str:
    return secrets.token_hex(16)
