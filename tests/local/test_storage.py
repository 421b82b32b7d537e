"""The embedded cloud's S3 makes copies on their conditions only, and takes any key."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

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
    gone = {f"gone/{number:03}" for number in range(300)}
    put(bucket, dict.fromkeys(gone, b"1") | {"stays": b"1"})
    with ThreadPoolExecutor(4) as pool:
        emptying = [pool.submit(s3().delete_object, Bucket=bucket, Key=key) for key in sorted(gone)]
        once = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
        looks = 0
        while not all(future.done() for future in emptying):
            assert "stays" in {each["Key"] for each in once.list_objects_v2(Bucket=bucket)["Contents"]}
            looks += 1
    assert looks > 1


def test_a_key_may_hold_line_breaks(bucket: str) -> None:
    put(bucket, {"line\nbreak/\r\n": b"1"})
    assert contents(bucket)["line\nbreak/\r\n"] == b"1"
