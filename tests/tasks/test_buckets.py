"""Buckets of a stack: its own or given, kept or deleted; and never deleted with data in them by one word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.buckets import check_bucket, delete_bucket, find_bucket, holds_data
from tasks.clients import cloudformation, s3
from tasks.errors import NotFound, TyrellError, UsageError
from tasks.model import Stack
from tasks.stack_buckets import check_buckets, check_may_delete, find_buckets, find_given, part_with
from tasks.stacks import find_stack
from tests.tasks.own_s3 import deny, new_bucket, put

BASE = """
Resources:
  DeviceDataBucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
Outputs:
  DeviceDataBucket: {{Value: !Ref DeviceDataBucket}}
  UsageBucket: {{Value: {given}}}
"""


pytestmark = pytest.mark.usefixtures("s3_of_our_own")


@pytest.fixture
def given() -> str:
    """The usage bucket of the stack, which was there before it."""
    return new_bucket()


@pytest.fixture
def stack(given: str) -> Iterator[Stack]:
    """A stack with a bucket of its own for device data, and a given one for usage."""
    tags = [{"Key": "tyrell:kind", "Value": "base"}]
    cloudformation().create_stack(StackName="lab", TemplateBody=BASE.format(given=given), Tags=tags)  # type: ignore[arg-type]
    yield Stack(name="lab", network="lab-network", usage_bucket=given)
    cloudformation().delete_stack(StackName="lab")


def own_bucket() -> str:
    """The name of the stack's own bucket."""
    (name,) = [bucket.name for bucket in find_buckets(find_stack("lab")) if not bucket.given]
    return name


def test_a_bucket_that_is_not_there_or_not_for_us_is_refused_with_a_sentence() -> None:
    with pytest.raises(NotFound, match=r"bucket gone-bucket does not exist; create it first"):
        check_bucket("gone-bucket")
    with pytest.raises(UsageError, match="'A b' cannot be the name of a bucket"):
        check_bucket("A b")
    check_bucket(new_bucket())


def test_what_a_stack_was_given_is_told_from_what_it_made(stack: Stack, given: str) -> None:
    assert find_given(find_stack("lab")) == {"UsageBucket": given}
    assert find_given(find_stack("nothing")) == {}


def test_a_stack_may_be_given_only_buckets_that_can_be_used(given: str) -> None:
    check_buckets(Stack(name="new", network="n", device_data_bucket=given, usage_bucket=given))
    with pytest.raises(NotFound, match="bucket gone-bucket does not exist"):
        check_buckets(Stack(name="new", network="n", usage_bucket="gone-bucket"))


def test_a_stack_never_changes_its_buckets(stack: Stack, given: str) -> None:
    check_buckets(stack)
    for other in ({"device_data_bucket": given}, {"usage_bucket": ""}):
        with pytest.raises(UsageError, match=r"stack lab keeps its data in bucket .*: buckets are chosen when"):
            check_buckets(stack.model_copy(update=other))


def test_a_bucket_with_data_is_deleted_only_when_told_twice(stack: Stack, given: str) -> None:
    own = own_bucket()
    put(own, {"reading": b"21"})
    put(given, {"usage": b"1"})
    buckets = find_buckets(find_stack("lab"))
    for once in ("", "yes", "demo"):
        with pytest.raises(UsageError, match=f"bucket {own} of stack lab would be deleted with the data in it") as told:
            check_may_delete("lab", buckets, once)
        assert "--delete-data --yes-delete-data lab" in str(told.value)
        assert f"bucket {given}" not in str(told.value)
    check_may_delete("lab", buckets, "lab")
    assert delete_bucket.fn(own, with_data=False) == (f"kept bucket {own}, there are data in it now",)
    assert delete_bucket.fn(own, with_data=True) == (f"deleted bucket {own}, objects and versions in it: 1",)
    check_may_delete("lab", buckets, "")


def test_an_empty_bucket_needs_no_second_word(stack: Stack) -> None:
    own = own_bucket()
    check_may_delete("lab", find_buckets(find_stack("lab")), "")
    assert delete_bucket.fn(own, with_data=False) == (f"deleted bucket {own}, objects and versions in it: 0",)


def test_buckets_are_kept_unless_they_are_to_go(stack: Stack, given: str) -> None:
    own, buckets = own_bucket(), find_buckets(find_stack("lab"))
    assert part_with(buckets, delete=False, with_data=True) == (f"kept bucket {own}", f"kept bucket {given}")
    assert find_bucket(own)


def test_an_earlier_version_is_data() -> None:
    bucket = new_bucket(versioned=True)
    assert not holds_data(bucket)
    put(bucket, {"reading": b"21"})
    s3().delete_object(Bucket=bucket, Key="reading")
    assert holds_data(bucket)
    assert not holds_data("gone-bucket")


def test_a_bucket_goes_with_every_version_of_any_key() -> None:
    bucket = new_bucket(versioned=True)
    keys = ("plain", "line\nbreak", "温度", "<&>", "../up", "a+b %2F")
    for body in (b"1", b"2"):
        put(bucket, dict.fromkeys(keys, body))
    assert delete_bucket.fn(bucket, with_data=True) == (f"deleted bucket {bucket}, objects and versions in it: 12",)
    assert not find_bucket(bucket)
    assert delete_bucket.fn(bucket, with_data=True) == ()


def test_an_object_that_may_not_be_deleted_is_named_and_the_bucket_stays() -> None:
    bucket = new_bucket()
    put(bucket, {"a": b"1", "locked": b"2"})
    deny(bucket, "s3:DeleteObject", "locked")
    with pytest.raises(TyrellError, match=f"'locked' of bucket {bucket} cannot be deleted: AccessDenied"):
        delete_bucket.fn(bucket, with_data=True)
    assert find_bucket(bucket)
