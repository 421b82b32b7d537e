"""The S3 bucket a worker writes to. Nothing in it is ever overwritten, and what was written is looked at again."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BufferedReader, BytesIO
from typing import BinaryIO, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from link.workers.parcels import Parcel

CONFLICTS = 5  # writes of one key at the same time; S3 asks the losers to try again
PATIENCE = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 4})


class Refused(Exception):
    """This object can not be written, others perhaps can; the text says why."""


class Entry(NamedTuple):
    """An object in a listing. `age` is in seconds, by the clock of S3 alone."""

    key: str
    size: int
    age: float


class Bucket:
    """Creates, reads and lists objects; raises botocore's errors when the bucket is gone or does not answer."""

    def __init__(self, name: str, region: str) -> None:
        self.name = name
        self._s3 = boto3.client("s3", region_name=region, config=PATIENCE)

    def create(self, key: str, content: bytes) -> bool:
        """Write the object unless there is one with this key; False when there is.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        return self._unless_taken(lambda: self._s3.put_object(Bucket=self.name, Key=key, Body=content, IfNoneMatch="*"))

    def write(self, parcel: Parcel) -> bool:
        """Write the parcel and make sure that S3 has it; False when it was there already. Raises `Refused`."""
        label = parcel.label
        try:
            created = self._unless_taken(
                lambda: self._s3.put_object(
                    Bucket=self.name,
                    Key=label.key,
                    Body=parcel.content,
                    Metadata=label.metadata,
                    ContentType="application/gzip" if label.key.endswith(".gz") else "application/x-ndjson",
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=label.sha256,
                    IfNoneMatch="*",
                )
            )
            found = self._s3.head_object(Bucket=self.name, Key=label.key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["Error"]["Code"] in ("AccessDenied", "403", "404"):
                raise Refused(str(error)) from error
            raise
        if (found["ContentLength"], found.get("ChecksumSHA256")) != (label.size, label.sha256):
            raise Refused("another object has this name")
        return created

    def open(self, key: str) -> BinaryIO:
        """Begin to read an object; one that does not exist is empty."""
        try:
            body = self._s3.get_object(Bucket=self.name, Key=key)["Body"]
        except self._s3.exceptions.NoSuchKey:
            return BytesIO()
        return BufferedReader(body)  # type: ignore[type-var]  # it is a RawIOBase in all but name

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield the objects whose keys begin like that, in their order."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            now = parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
            for found in page.get("Contents", []):
                yield Entry(found["Key"], found["Size"], _seconds(found["LastModified"], now))

    def delete(self, key: str) -> None:
        """Delete the object, if it is there."""
        self._s3.delete_object(Bucket=self.name, Key=key)

    def _unless_taken(self, put: Callable[[], object]) -> bool:
        for left in reversed(range(CONFLICTS)):
            try:
                put()
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "PreconditionFailed":
                    return False
                if code != "ConditionalRequestConflict" or not left:
                    raise
            else:
                return True
        raise AssertionError("the last conflict is raised")


def _seconds(since: datetime, now: datetime) -> float:
    return (now.astimezone(UTC) - since.astimezone(UTC)).total_seconds()
