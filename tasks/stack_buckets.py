"""The buckets of a stack: made with it, or given to it; kept when it goes, unless the person says so twice."""

from __future__ import annotations

from functools import partial

from botocore.exceptions import ClientError

from tasks.buckets import check_bucket, delete_bucket, holds_data
from tasks.cfn_stacks import CfnStack
from tasks.clients import cloudformation
from tasks.errors import UsageError
from tasks.model import Changes, Noun, Stack
from tasks.stacks import find_stack
from tasks.steps import in_parallel

DEVICE_DATA, USAGE = "DeviceDataBucket", "UsageBucket"
"""Logical ids, and outputs, of the base stack."""


class StackBucket(Noun):
    """One bucket of a stack."""

    output: str
    name: str
    given: bool
    """It was there before the stack, and is not the stack's to delete."""


def find_buckets(base: CfnStack | None) -> tuple[StackBucket, ...]:
    """The buckets of the stack with that base; none without."""
    if base is None:
        return ()
    outputs = [output for output in (DEVICE_DATA, USAGE) if output in base.outputs]
    return tuple(
        StackBucket(output=output, name=base.outputs[output], given=not _is_made_by(base, output)) for output in outputs
    )


def _is_made_by(base: CfnStack, logical_id: str) -> bool:
    try:
        found = cloudformation().describe_stack_resource(StackName=base.id, LogicalResourceId=logical_id)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # the template has no such resource
            return False
        raise
    return found["StackResourceDetail"].get("PhysicalResourceId") == base.outputs[logical_id]


def find_given(base: CfnStack | None) -> dict[str, str]:
    """The names of the buckets that were given to the stack, by output."""
    return {bucket.output: bucket.name for bucket in find_buckets(base) if bucket.given}


def check_buckets(stack: Stack) -> None:
    """Raises UsageError when a bucket that is given cannot be used, or the stack is there and has another one."""
    wanted = {DEVICE_DATA: stack.device_data_bucket, USAGE: stack.usage_bucket}
    for name in filter(None, wanted.values()):
        check_bucket(name)
    for bucket in find_buckets(find_stack(stack.name)):
        if (bucket.name if bucket.given else "") != wanted[bucket.output]:
            raise UsageError(
                f"stack {stack.name} keeps its data in bucket {bucket.name}, and not in"
                f" {wanted[bucket.output] or 'one of its own'}: buckets are chosen when a stack is made;"
                f" `tyrell data merge` takes data to another bucket"
            )


def find_full(buckets: tuple[StackBucket, ...]) -> tuple[str, ...]:
    """The names of the stack's own buckets that hold data."""
    own = [bucket.name for bucket in buckets if not bucket.given]
    full = in_parallel([partial(holds_data, name) for name in own])
    return tuple(name for name, holds in zip(own, full, strict=True) if holds)


def check_may_delete(stack: str, buckets: tuple[StackBucket, ...], told_again: str) -> None:
    """Raises UsageError when one of the stack's own buckets holds data and `told_again` is not the stack's name."""
    if told_again == stack:
        return
    if full := find_full(buckets):
        raise UsageError(
            f"bucket {' and bucket '.join(full)} of stack {stack} would be deleted with the data in it; say it again:"
            f" `tyrell down {stack} --delete-data --yes-delete-data {stack}`"
        )


def part_with(buckets: tuple[StackBucket, ...], *, delete: bool, with_data: bool) -> Changes:
    """Delete the stack's own buckets, those that hold data only `with_data`; all others are kept, and named."""
    going = [bucket.name for bucket in buckets if delete and not bucket.given]
    changes: Changes = sum(in_parallel([partial(delete_bucket, name, with_data=with_data) for name in going]), ())
    kept = dict.fromkeys(bucket.name for bucket in buckets if bucket.name not in going)
    return changes + tuple(f"kept bucket {name}" for name in kept)
