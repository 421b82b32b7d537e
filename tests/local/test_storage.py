"""The embedded cloud's S3 makes copies on their conditions only, and takes any key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from moto.s3.utils import _VersionedKeyStore

from tasks.clients import s3
from tests.tasks.own_s3 import contents, new_bucket, own_s3, put


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with own_s3():
        yield new_bucket()


def test_a_copy_of_what_has_changed_or_over_something_is_refused(bucket: str) -> None:
    put(bucket, {"from": b"1", "taken": b"2"})
    etag = s3().head_object(Bucket=bucket, Key="from")["ETag"]
    for key, expected, names in (("new", '"other"', "If-Match"), ("taken", etag, "If-None-Match")):
        with pytest.raises(ClientError, match="PreconditionFailed") as refused:
            s3().copy_object(
                Bucket=bucket,
                Key=key,
                CopySource={"Bucket": bucket, "Key": "from"},
                CopySourceIfMatch=expected,
                IfNoneMatch="*",
            )
        assert str(refused.value.response["Error"]["Condition"]).endswith(names)  # type: ignore[typeddict-item]
    assert contents(bucket) == {"from": b"1", "taken": b"2"}


def test_a_part_of_what_has_changed_is_refused(bucket: str) -> None:
    put(bucket, {"from": b"1"})
    upload = s3().create_multipart_upload(Bucket=bucket, Key="to")["UploadId"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3().upload_part_copy(
            Bucket=bucket,
            Key="to",
            UploadId=upload,
            PartNumber=1,
            CopySource={"Bucket": bucket, "Key": "from"},
            CopySourceIfMatch='"other"',
        )


def test_a_bucket_can_be_listed_while_it_is_emptied(bucket: str) -> None:
    keys = _VersionedKeyStore()
    keys["first"], keys["goes"], keys["last"] = "1", "2", "3"
    listing = iter(keys.items())
    assert next(listing) == ("first", "1")
    del keys["goes"]
    assert list(listing)[-1] == ("last", "3")


def test_a_key_may_hold_line_breaks(bucket: str) -> None:
    put(bucket, {"line\nbreak/\r\n": b"1"})
    assert contents(bucket)["line\nbreak/\r\n"] == b"1"
