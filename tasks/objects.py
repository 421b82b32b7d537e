"""Objects of S3: which there are, and whether two have the same content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from botocore.exceptions import ClientError

from tasks.clients import s3
from tasks.merged import MIB
from tasks.model import Noun


class StoredObject(Noun):
    """One object as it was when we looked."""

    bucket: str
    key: str
    etag: str
    """With its quotes. As long as it is the same, so is the content."""
    size: int
    storage_class: str = "STANDARD"

    @property
    def parts(self) -> int:
        """How many parts it was uploaded in; 0 when it was uploaded at once.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html: the ETag of parts ends with their number.
        """
        return int(self.etag.strip('"').partition("-")[2] or 0)


def find_objects(bucket: str) -> Iterator[StoredObject]:
    """Every object of the bucket, in the order of the keys; they are asked for while they are used."""
    for page in s3().get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", []):
            yield StoredObject(
                bucket=bucket,
                key=each["Key"],
                etag=each["ETag"],
                size=each["Size"],
                storage_class=each.get("StorageClass", "STANDARD"),
            )


def find_object(bucket: str, key: str) -> StoredObject | None:
    """The object under that very key, or None."""
    try:
        head = s3().head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return StoredObject(bucket=bucket, key=key, etag=head["ETag"], size=head["ContentLength"])


def is_missing(error: ClientError) -> bool:
    """Whether S3 says that there is no such object; an answer to HEAD has no body, only the status."""
    return error.response["Error"]["Code"] in {"NoSuchKey", "404"}


def is_changed(error: ClientError) -> bool:
    """Whether S3 refused because an object is not what the request says it should be."""
    return error.response["Error"]["Code"] in {"PreconditionFailed", "412"}


def is_same(one: StoredObject, other: StoredObject) -> bool:
    """Whether both have the same content. Raises ClientError (see `is_changed`) when one has changed meanwhile.

    Equal ETags tell: without KMS they are MD5s. So do equal checksums, where S3 keeps of both the same kind. Only
    when neither is so, both are read: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    """
    if one.size != other.size:
        return False
    if one.etag == other.etag or _checksums(one) & _checksums(other):
        return True
    return _sha256(one) == _sha256(other)


def _checksums(stored: StoredObject) -> set[tuple[str, object]]:
    head = s3().head_object(Bucket=stored.bucket, Key=stored.key, IfMatch=stored.etag, ChecksumMode="ENABLED")
    return {(name, sum_) for name, sum_ in head.items() if name.startswith("Checksum") and name != "ChecksumType"}


def _sha256(stored: StoredObject) -> str:
    digest = hashlib.sha256()
    body = s3().get_object(Bucket=stored.bucket, Key=stored.key, IfMatch=stored.etag)["Body"]
    for block in body.iter_chunks(MIB):
        digest.update(block)
    return digest.hexdigest()
