"""Which AWS calls this process makes, as the IAM actions that they need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.model import OperationModel

from tasks import clients

PREFIXES = {"monitoring": "cloudwatch"}
"""Where IAM calls a service otherwise than its requests are signed."""

ACTIONS = {
    "s3:CopyObject": ("s3:GetObject", "s3:PutObject"),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:ListParts": ("s3:ListMultipartUploadParts",),
    "s3:UploadPartCopy": ("s3:GetObject", "s3:PutObject"),
}
"""The actions of calls that have another name.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"""


@contextmanager
def recorded() -> Iterator[set[str]]:
    """Every client that this process makes in the block adds what it does to the set."""
    seen: set[str] = set()

    def note(model: OperationModel, **_: Any) -> None:
        service = model.service_model.signing_name
        action = f"{PREFIXES.get(service, service)}:{model.name}"
        seen.update(ACTIONS.get(action, (action,)))

    session = boto3.Session()
    session.events.register("before-call", note)
    before, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, session
    clients.forget()
    try:
        yield seen
    finally:
        boto3.DEFAULT_SESSION = before
        clients.forget()
