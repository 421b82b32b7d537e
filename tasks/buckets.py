"""S3 buckets as a whole: whether they can be used, whether they hold data, and their end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from tasks.clients import s3
from tasks.errors import NotFound, TyrellError, UsageError
from tasks.model import Changes
from tasks.steps import each_in_parallel, step

logger = logging.getLogger(__name__)

PAGES_AT_ONCE = 8


def check_bucket(name: str) -> None:
    """Raises NotFound when there is no such bucket, UsageError when these credentials may not use it."""
    if not find_bucket(name):
        raise NotFound(f"bucket {name}", "create it first, or correct the name")


def find_bucket(name: str) -> bool:
    """Whether the bucket exists. Raises UsageError when these credentials may not use it."""
    try:
        s3().head_bucket(Bucket=name)
    except ParamValidationError:
        raise UsageError(f"{name!r} cannot be the name of a bucket: write 3 to 63 letters, digits and dashes") from None
    except ClientError as error:
        match error.response["ResponseMetadata"].get("HTTPStatusCode"):
            case 404:
                return False
            case 403:
                raise UsageError(
                    f"bucket {name} cannot be reached with these credentials (403); have its owner allow it"
                ) from None
        raise
    return True


def holds_data(name: str) -> bool:
    """Whether anything is in the bucket, if only an earlier version; False as well when there is no such bucket."""
    return find_bucket(name) and any(_pages(name))


@step("delete bucket {name}", system="s3")
def delete_bucket(name: str, *, with_data: bool) -> Changes:
    """Delete the bucket, with everything in it or only when it is empty; then one that is not is kept.

    Raises TyrellError for an object that cannot be deleted.
    """
    if not find_bucket(name):
        logger.info("bucket %s does not exist: nothing to delete", name)
        return ()
    deleted = _empty(name) if with_data else 0
    try:
        s3().delete_bucket(Bucket=name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "BucketNotEmpty" and not with_data:
            return (f"kept bucket {name}, there are data in it now",)
        if code != "NoSuchBucket":  # the answer was lost, and the client has made the call again
            raise
    return (f"deleted bucket {name}, objects and versions in it: {deleted:,}",)


def _empty(name: str) -> int:
    deleted = 0
    for number in each_in_parallel(partial(_delete_page, name), _pages(name), PAGES_AT_ONCE):
        deleted += number
        logger.info("%s objects and versions deleted", f"{deleted:,}")
    return deleted


def _pages(name: str) -> Iterator[list[dict[str, str]]]:
    """Everything in the bucket, as `delete_objects` takes it: 1,000 versions and delete markers at most."""
    for page in s3().get_paginator("list_object_versions").paginate(Bucket=name):
        found: list[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        yield [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]


def _delete_page(name: str, page: list[dict[str, str]]) -> int:
    """The keys travel in XML, which cannot carry every character; the others are deleted one by one."""
    plain = [each for each in page if each["Key"].isprintable()]
    if plain:
        answer = s3().delete_objects(Bucket=name, Delete={"Objects": plain, "Quiet": True})  # type: ignore[typeddict-item]
        for error in answer.get("Errors", []):
            raise TyrellError(
                f"{error['Key']!r} of bucket {name} cannot be deleted: {error['Code']} {error['Message']}"
            )
    for each in page:
        if not each["Key"].isprintable():
            s3().delete_object(Bucket=name, **each)  # type: ignore[arg-type]
    return len(page)
