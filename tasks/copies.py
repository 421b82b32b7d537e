"""Copies of S3 objects, made by S3 itself: nothing of them passes through this machine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from tasks.clients import s3
from tasks.objects import StoredObject, find_object, is_changed
from tasks.steps import each_in_parallel

Upload = dict[str, Any]
"""Where the parts go: Bucket, Key and UploadId."""

PARTS_AT_ONCE = 8
KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "Metadata",
)
"""What CopyObject takes along by itself, and a copy in parts has to be given."""


def copy_object(source: StoredObject, bucket: str, part_size: int) -> StoredObject | None:
    """Copy the object, with metadata, tags and storage class; None when there is something under its key already.

    Nothing is ever overwritten, and nothing else than what was looked at is copied: S3 checks both with the write.
    What was uploaded in parts is copied in the same parts, because then S3 gives the copy the same ETag; anything
    else larger than `part_size` bytes in parts of that size. Parts that an earlier run has copied are used.
    Raises ClientError; `is_changed` when there is something already, or the source is not what it was.
    """
    if source.size and (source.parts or source.size > part_size):
        return _copy_in_parts(source, bucket, _own_part_size(source) if source.parts else part_size)
    copied = s3().copy_object(
        Bucket=bucket,
        Key=source.key,
        CopySource={"Bucket": source.bucket, "Key": source.key},
        CopySourceIfMatch=source.etag,
        IfNoneMatch="*",
        StorageClass=source.storage_class,  # type: ignore[arg-type]  # the listing knows them, too
    )
    return source.model_copy(update={"bucket": bucket, "etag": copied["CopyObjectResult"]["ETag"]})


def discard_copy(copy: StoredObject) -> None:
    """Delete a copy of ours that is not good, unless somebody has written there since."""
    s3().delete_object(Bucket=copy.bucket, Key=copy.key, IfMatch=copy.etag)


def _own_part_size(source: StoredObject) -> int:
    """All parts but the last are equal in practice; where they are not, the ETags differ and the contents are read."""
    first = s3().head_object(Bucket=source.bucket, Key=source.key, PartNumber=1)
    return first["ContentLength"]


def _copy_in_parts(source: StoredObject, bucket: str, part_size: int) -> StoredObject | None:
    if find_object(bucket, source.key):  # S3 itself would say so only in the end
        return None
    ranges = {
        number: (start, min(start + part_size, source.size))
        for number, start in enumerate(range(0, source.size, part_size), 1)
    }
    upload: Upload = {"Bucket": bucket, "Key": source.key}
    upload["UploadId"] = _find_upload(source, bucket) or _begin(source, bucket)
    parts = _find_parts(upload, ranges)
    missing = [number for number in ranges if number not in parts]
    try:
        parts |= each_in_parallel(partial(_copy_part, source, upload, ranges), missing, PARTS_AT_ONCE)
        whole: Any = {"Parts": [{"PartNumber": number, "ETag": parts[number]} for number in ranges]}
        done = s3().complete_multipart_upload(**upload, MultipartUpload=whole, IfNoneMatch="*")
    except ClientError as error:
        if is_changed(error):
            s3().abort_multipart_upload(**upload)
        raise
    return source.model_copy(update={"bucket": bucket, "etag": done["ETag"]})


def _find_upload(source: StoredObject, bucket: str) -> str:
    """The unfinished upload of exactly this key, as a run leaves it that is killed; empty when there is none.

    Should its parts be of something else, then the copy is found to be different, and is removed.
    """
    uploads = s3().list_multipart_uploads(Bucket=bucket, Prefix=source.key).get("Uploads", [])
    return next((each["UploadId"] for each in uploads if each["Key"] == source.key), "")


def _begin(source: StoredObject, bucket: str) -> str:
    where: dict[str, Any] = {"Bucket": source.bucket, "Key": source.key}
    head: Mapping[str, Any] = s3().head_object(**where, IfMatch=source.etag)
    tags = {tag["Key"]: tag["Value"] for tag in s3().get_object_tagging(**where)["TagSet"]}
    kept = {name: head[name] for name in KEPT if name in head} | ({"Tagging": urlencode(tags)} if tags else {})
    begun = s3().create_multipart_upload(
        Bucket=bucket,
        Key=source.key,
        StorageClass=source.storage_class,  # type: ignore[arg-type]
        **kept,
    )
    return begun["UploadId"]


def _find_parts(upload: Upload, ranges: Mapping[int, tuple[int, int]]) -> dict[int, str]:
    """The ETags of the parts that are there already and have the size that they should have."""
    pages = s3().get_paginator("list_parts").paginate(**upload)
    sizes = {number: end - start for number, (start, end) in ranges.items()}
    there = [part for page in pages for part in page.get("Parts", [])]
    return {part["PartNumber"]: part["ETag"] for part in there if sizes.get(part["PartNumber"]) == part["Size"]}


def _copy_part(
    source: StoredObject, upload: Upload, ranges: Mapping[int, tuple[int, int]], number: int
) -> tuple[int, str]:
    start, end = ranges[number]
    copied = s3().upload_part_copy(
        **upload,
        PartNumber=number,
        CopySource={"Bucket": source.bucket, "Key": source.key},
        CopySourceIfMatch=source.etag,
        CopySourceRange=f"bytes={start}-{end - 1}",
    )
    return number, copied["CopyPartResult"]["ETag"]
