"""An S3 of the tests' own: what is in its buckets, and what happens between the requests of a merge."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tasks.clients import s3
from tasks.merged import MIB
from tests.tasks.own_aws import own_aws
from tyrell.local.storage import store_as_on_aws

PART = 5 * MIB
_numbers = itertools.count(1)


@contextmanager
def own_s3() -> Iterator[None]:
    """While the block runs, this process talks to an S3 with nothing in it, which keeps what S3 promises."""
    store_as_on_aws()
    with own_aws():
        yield


def new_bucket(*, versioned: bool = False) -> str:
    """A bucket with nothing in it."""
    name = f"bucket-{next(_numbers)}"
    s3().create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    if versioned:
        s3().put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def put(bucket: str, objects: dict[str, bytes], **settings: Any) -> None:
    """Put the objects there, all with the same settings."""
    for key, body in objects.items():
        s3().put_object(Bucket=bucket, Key=key, Body=body, **settings)


def put_in_parts(bucket: str, key: str, parts: list[bytes], **settings: Any) -> None:
    """Upload the object in these parts."""
    upload: Any = {"Bucket": bucket, "Key": key}
    upload["UploadId"] = s3().create_multipart_upload(**upload, **settings)["UploadId"]
    etags = [s3().upload_part(**upload, PartNumber=n, Body=body)["ETag"] for n, body in enumerate(parts, 1)]
    listed: Any = {"Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]}
    s3().complete_multipart_upload(**upload, MultipartUpload=listed)


def contents(bucket: str) -> dict[str, bytes]:
    """All objects of the bucket."""
    pages = s3().get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
    return {key: s3().get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def deny(bucket: str, action: str, key: str) -> None:
    """Nobody may do that to the object any more."""
    statement = f'"Effect": "Deny", "Principal": "*", "Action": "{action}", "Resource": "arn:aws:s3:::{bucket}/{key}"'
    s3().put_bucket_policy(Bucket=bucket, Policy=f'{{"Version": "2012-10-17", "Statement": [{{{statement}}}]}}')


class Killed(BaseException):
    """The process is no more; nothing catches this."""


Hook = Callable[[str, int], object]


def nothing(operation: str, number: int) -> None:
    """Let the request be."""


class Requests:
    """The requests of this process to S3 while the block runs, each as the name of its operation, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        """Those that S3 has answered with success."""
        self._begun = 0
        self._lock = threading.Lock()
        self._events = s3().meta.events
        self.before: Hook = nothing
        """Called with the operation and the request's number, from 1, before it is sent; may act, or raise."""
        self.after: Hook = nothing
        """The same, when it has been answered."""

    def __enter__(self) -> Requests:
        """Listen."""
        self._events.register("before-call.s3", self._sent)
        self._events.register("after-call.s3", self._answered)
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._events.unregister("before-call.s3", self._sent)
        self._events.unregister("after-call.s3", self._answered)

    def _sent(self, model: Any, **_: Any) -> None:
        with self._lock:
            self._begun += 1
            number = self._begun
        self.before(model.name, number)

    def _answered(self, model: Any, http_response: Any, **_: Any) -> None:
        if http_response.status_code < 300:
            with self._lock:
                self.done.append(model.name)
        self.after(model.name, self._begun)

    def before_each(self, operation: str, act: Callable[[], object]) -> None:
        """Act before every request of that operation is sent."""
        self.before = lambda sent, _: act() if sent == operation else None

    def kill_at(self, number: int, *, answered: bool) -> None:
        """Die at that request: before it is sent, or when S3 has done it but nobody has seen the answer."""

        def kill(_: str, current: int) -> None:
            if current >= number:
                raise Killed

        if answered:
            self.after = kill
        else:
            self.before = kill

    def copies(self) -> int:
        """How many objects and parts S3 has copied."""
        return self.done.count("CopyObject") + self.done.count("UploadPartCopy")
