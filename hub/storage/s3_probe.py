"""Find out what an S3 server really holds to: many accept a condition and ignore it."""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from hub.storage.digests import STAGING
from hub.storage.s3_access import S3Access, S3Address, client_of, code_of
from hub.storage.s3_spans import follow, keeps_to_span

PART_BYTES: Final = 5 * 2**20
_LINK_SECONDS: Final = 60
_OK: Final = 200
_REFUSED: Final = frozenset({400, 401, 403})
_BAD_DIGEST: Final = 400
_CONDITION_FAILED: Final = 412


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a server does one thing, and whether bytes are safe on one that does not."""

    what: str
    held: bool
    needed: bool
    detail: str = ""


def examine(address: S3Address) -> Iterator[Finding]:
    """Try everything, in a folder of its own in staging; what was written is dropped again."""
    probe = _Probe(address)
    for needed, checks in ((True, _NEEDED), (False, _WELCOME)):
        for what, check in checks.items():
            yield _finding(probe, what, check, needed=needed)
    # What a failing server keeps is swept after a day, like all of staging.
    with suppress(BotoCoreError, ClientError):
        probe.clean()


def _finding(
    probe: "_Probe", what: str, check: Callable[["_Probe"], bool], *, needed: bool
) -> Finding:
    try:
        return Finding(what, check(probe), needed)
    except ClientError as error:
        return Finding(what, held=False, needed=needed, detail=code_of(error))
    except BotoCoreError as error:
        return Finding(what, held=False, needed=needed, detail=type(error).__name__)


class _Probe:
    """One object that is there, and ways to ask for it."""

    def __init__(self, address: S3Address) -> None:
        access = S3Access(address)
        self.address = address
        self.client, self.signer = access.client, access.signer
        self.folder = f"{address.prefix}{STAGING}/probe/{secrets.token_hex(8)}/"
        self.content = secrets.token_bytes(1000)

    def at(self, name: str) -> dict[str, str]:
        return {"Bucket": self.address.bucket, "Key": self.folder + name}

    def put(self, name: str, **more: object) -> None:
        self.client.put_object(**self.at(name), Body=self.content, **more)

    def read(self, name: str, **more: object) -> bytes:
        with self.client.get_object(**self.at(name), **more)["Body"] as body:
            content: bytes = body.read()
        return content

    def status_of(self, attempt: Callable[..., object], **more: object) -> int:
        """What the server answers to an attempt."""
        try:
            attempt(**more)
        except ClientError as error:
            return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        return _OK

    def link(self, operation: str, name: str, seconds: int = _LINK_SECONDS, **more: object) -> str:
        url: str = self.signer.generate_presigned_url(
            operation, Params={**self.at(name), **more}, ExpiresIn=seconds
        )
        return url

    def parts(self, name: str) -> dict[str, Any]:
        """An upload of one part that only has to be completed."""
        upload = self.client.create_multipart_upload(**self.at(name))["UploadId"]
        sent = self.client.upload_part(
            **self.at(name), UploadId=upload, PartNumber=1, Body=self.content
        )
        named = {"Parts": [{"PartNumber": 1, "ETag": sent["ETag"]}]}
        return {**self.at(name), "UploadId": upload, "MultipartUpload": named}

    def clean(self) -> None:
        bucket = self.address.bucket
        listed = self.client.list_objects_v2(Bucket=bucket, Prefix=self.folder)
        for one in listed.get("Contents", ()):
            self.client.delete_object(Bucket=bucket, Key=one["Key"])
        begun = self.client.list_multipart_uploads(Bucket=bucket, Prefix=self.folder)
        for one in begun.get("Uploads", ()):
            self.client.abort_multipart_upload(
                Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"]
            )


def _keeps_bytes(probe: _Probe) -> bool:
    probe.put("object")
    return probe.read("object") == probe.content


def _gives_ranges(probe: _Probe) -> bool:
    return probe.read("object", Range="bytes=10-19") == probe.content[10:20]


def _takes_parts(probe: _Probe) -> bool:
    probe.client.complete_multipart_upload(**probe.parts("parts"))
    return probe.read("parts") == probe.content


def _copies(probe: _Probe) -> bool:
    probe.client.copy_object(**probe.at("copy"), CopySource=probe.at("object"))
    return probe.read("copy") == probe.content


def _copies_ranges(probe: _Probe) -> bool:
    probe.client.put_object(**probe.at("long"), Body=bytes(PART_BYTES + 1))
    upload = probe.client.create_multipart_upload(**probe.at("range"))["UploadId"]
    done = probe.client.upload_part_copy(
        **probe.at("range"),
        UploadId=upload,
        PartNumber=1,
        CopySource=probe.at("long"),
        CopySourceRange=f"bytes=1-{PART_BYTES}",
    )
    named = {"Parts": [{"PartNumber": 1, "ETag": done["CopyPartResult"]["ETag"]}]}
    probe.client.complete_multipart_upload(
        **probe.at("range"), UploadId=upload, MultipartUpload=named
    )
    return len(probe.read("range")) == PART_BYTES


def _lets_the_first_create(probe: _Probe) -> bool:
    probe.put("first", IfNoneMatch="*")
    return probe.status_of(probe.put, name="first", IfNoneMatch="*") == _CONDITION_FAILED


def _refuses_strangers(probe: _Probe) -> bool:
    return follow(probe.link("get_object", "object").partition("?")[0])[0] in _REFUSED


def _refuses_a_wrong_secret(probe: _Probe) -> bool:
    address = probe.address
    if not address.key:
        return True
    wrong = S3Address(
        address.bucket,
        endpoint=address.endpoint,
        region=address.region,
        key=address.key,
        secret="-",  # noqa: S106 - it is meant to be wrong
    )
    client = client_of(wrong, wrong.endpoint)
    return probe.status_of(client.get_object, **probe.at("object")) in _REFUSED


def _links_open_nothing_else(probe: _Probe) -> bool:
    probe.put("other")
    url = probe.link("get_object", "object")
    return follow(url.replace("/object?", "/other?"))[0] in _REFUSED and follow(url)[0] == _OK


def _links_end(probe: _Probe) -> bool:
    url = probe.link("get_object", "object", seconds=1)
    time.sleep(2.5)
    return follow(url)[0] in _REFUSED


def _links_take_the_signed_length(probe: _Probe) -> bool:
    url = probe.link("put_object", "sent", ContentLength=5)
    longer = follow(url, "PUT", b"longer")[0]
    return longer in _REFUSED and follow(url, "PUT", b"exact")[0] == _OK


def _ends_parts_for_the_first(probe: _Probe) -> bool:
    complete, named = probe.client.complete_multipart_upload, probe.parts("first")
    return probe.status_of(complete, **named, IfNoneMatch="*") == _CONDITION_FAILED


def _copies_for_the_first(probe: _Probe) -> bool:
    copy, named = probe.client.copy_object, {**probe.at("first"), "CopySource": probe.at("object")}
    return probe.status_of(copy, **named, IfNoneMatch="*") == _CONDITION_FAILED


def _compares_sha256(probe: _Probe) -> bool:
    wrong = base64.b64encode(bytes(32)).decode()
    return probe.status_of(probe.put, name="sha256", ChecksumSHA256=wrong) == _BAD_DIGEST


def _compares_md5(probe: _Probe) -> bool:
    wrong = base64.b64encode(hashlib.md5(b"", usedforsecurity=False).digest()).decode()
    return probe.status_of(probe.put, name="md5", ContentMD5=wrong) == _BAD_DIGEST


def _gives_the_end(probe: _Probe) -> bool:
    return probe.read("object", Range="bytes=-10") == probe.content[-10:]


def _links_give_the_signed_range(probe: _Probe) -> bool:
    url = probe.link("get_object", "object", Range="bytes=0-9")
    return keeps_to_span(url, probe.content[:10])


_NEEDED: Final[Mapping[str, Callable[[_Probe], bool]]] = {
    "keeps what it is given": _keeps_bytes,
    "gives ranges": _gives_ranges,
    "takes bytes in parts": _takes_parts,
    "copies objects": _copies,
    "copies ranges": _copies_ranges,
    "lets only the first create an object": _lets_the_first_create,
    "refuses who shows no signature": _refuses_strangers,
    "refuses a wrong secret": _refuses_a_wrong_secret,
    "refuses a link for another object": _links_open_nothing_else,
    "refuses a link after its end": _links_end,
    "takes by a link only the signed length": _links_take_the_signed_length,
}
_WELCOME: Final[Mapping[str, Callable[[_Probe], bool]]] = {
    "ends an upload of parts only for the first": _ends_parts_for_the_first,
    "copies only for the first": _copies_for_the_first,
    "compares x-amz-checksum-sha256": _compares_sha256,
    "compares Content-MD5": _compares_md5,
    "gives the end of an object": _gives_the_end,
    "gives by a link only the signed range": _links_give_the_signed_range,
}
