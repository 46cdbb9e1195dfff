"""Let an S3 server copy an object of any size."""

from collections.abc import Callable
from typing import Any, Final

from hub.storage.s3_access import S3Access

COPY_PART_BYTES: Final = 512 * 2**20
"""What a server copies while we wait for one answer; 10,000 such parts are 5 TB."""


def copy(
    access: S3Access, source: str, home: str, *, after_part: Callable[[], None] = lambda: None
) -> None:
    """Copy an object of our bucket under another name, whole or not at all."""
    client, bucket = access.client, access.address.bucket
    size = int(client.head_object(Bucket=bucket, Key=source)["ContentLength"])
    target = {"Bucket": bucket, "Key": home}
    origin = {"Bucket": bucket, "Key": source}
    if size <= COPY_PART_BYTES:
        client.copy_object(**target, CopySource=origin, MetadataDirective="COPY")
    else:
        _copy_in_parts(client, target, origin, size, after_part)


def _copy_in_parts(
    client: Any,
    target: dict[str, str],
    origin: dict[str, str],
    size: int,
    after_part: Callable[[], None],
) -> None:
    upload: str = client.create_multipart_upload(**target)["UploadId"]
    parts = []
    try:
        for number, start in enumerate(range(0, size, COPY_PART_BYTES), 1):
            stop = min(start + COPY_PART_BYTES, size)
            done = client.upload_part_copy(
                **target,
                UploadId=upload,
                PartNumber=number,
                CopySource=origin,
                CopySourceRange=f"bytes={start}-{stop - 1}",
            )
            parts.append({"PartNumber": number, "ETag": done["CopyPartResult"]["ETag"]})
            after_part()
        client.complete_multipart_upload(
            **target, UploadId=upload, MultipartUpload={"Parts": parts}
        )
    except BaseException:
        client.abort_multipart_upload(**target, UploadId=upload)
        raise
