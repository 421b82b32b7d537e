"""A merge takes every object along as it is, or leaves it and says why; nothing is lost, whatever happens between."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tasks.clients import s3
from tasks.errors import NotFound, UsageError
from tasks.merged import MIB, Fate, Merge
from tasks.merges import TAKEN, check_merge
from tests.tasks.merging import left, merge
from tests.tasks.own_s3 import (
    PART,
    Requests,
    contents,
    deny,
    new_bucket,
    put,
)

pytestmark = pytest.mark.usefixtures("s3_of_our_own")


def test_all_objects_move_and_the_next_merge_finds_nothing_to_do(old: str, new: str) -> None:
    objects = {f"device/{number}": b"21" * number for number in range(30)}
    put(old, objects)
    put(new, {"there before": b"7"})
    merged = merge(old, new)
    assert merged.told() == (f"moved 30 objects (870 bytes) from {old} to {new}",)
    assert contents(new) == objects | {"there before": b"7"}
    assert contents(old) == {}
    with Requests() as requests:
        assert merge(old, new).told() == (f"moved 0 objects (0 bytes) from {old} to {new}",)
    assert set(requests.done) == {"ListObjectsV2"}


def test_what_is_there_with_other_content_is_never_overwritten(old: str, new: str) -> None:
    put(old, {"same": b"1", "other": b"1", "longer": b"123", "free": b"1"})
    put(new, {"same": b"1", "other": b"2", "longer": b"12"})
    merged = merge(old, new)
    assert left(merged) == {"other": TAKEN, "longer": TAKEN}
    assert (merged.counts[Fate.COPIED], merged.counts[Fate.FOUND]) == (1, 1)
    assert contents(new) == {"same": b"1", "other": b"2", "longer": b"12", "free": b"1"}
    assert contents(old) == {"other": b"1", "longer": b"123"}
    assert str(merged) == f"2 of 4 objects of bucket {old} are left: " + "; ".join(
        f"{key!r}: {why}" for key, why in left(merged).items()
    )


@pytest.mark.parametrize(
    ("action", "bucket", "operation"),
    [("s3:PutObject", "new", "CopyObject"), ("s3:DeleteObject", "old", "DeleteObject")],
)
def test_an_object_that_may_not_be_taken_is_named_and_the_others_go_on(
    old: str, new: str, action: str, bucket: str, operation: str
) -> None:
    objects = {f"reading {number}": b"21" for number in range(20)}
    put(old, objects)
    deny(old if bucket == "old" else new, action, "reading 7")
    merged = merge(old, new)
    assert left(merged) == {"reading 7": f"{operation} was refused: 403 Forbidden"}
    assert merged.counts[Fate.COPIED] == 19
    assert set(contents(old)) == {"reading 7"}
    assert set(contents(new)) == set(objects) - ({"reading 7"} if bucket == "new" else set())


def test_a_dry_run_writes_nothing_and_says_what_would_be_done(old: str, new: str) -> None:
    before, there = {"a": b"123", "same": b"1", "other": b"1"}, {"same": b"1", "other": b"2"}
    put(old, before)
    put(new, there)
    with Requests() as requests:
        merged = merge(old, new, dry_run=True)
    assert set(requests.done) <= {"ListObjectsV2", "HeadObject", "GetObject"}
    assert merged.told() == (
        f"would move 1 object (3 bytes) from {old} to {new}",
        "1 object had been copied before",
        f"would leave 'other': {TAKEN}",
    )
    assert (contents(old), contents(new)) == (before, there)


def test_what_is_kept_is_copied_once(old: str, new: str) -> None:
    put(old, {"a": b"1", "b": b"2"})
    assert merge(old, new, keep=True).told() == (f"copied 2 objects (2 bytes) from {old} to {new}",)
    with Requests() as requests:
        again = merge(old, new, keep=True)
    assert (requests.copies(), again.counts[Fate.FOUND]) == (0, 2)
    assert contents(old) == contents(new) == {"a": b"1", "b": b"2"}


def test_a_versioned_bucket_keeps_its_versions_and_the_summary_says_so(new: str) -> None:
    old = new_bucket(versioned=True)
    put(old, {"reading": b"1", "deleted": b"1"})
    put(old, {"reading": b"2"})
    s3().delete_object(Bucket=old, Key="deleted")
    merged = merge(old, new)
    assert merged.told()[1:] == (f"{old} is versioned: it still keeps the versions of 1 object",)
    assert (contents(old), contents(new)) == ({}, {"reading": b"2"})
    versions = s3().list_object_versions(Bucket=old, Prefix="reading")["Versions"]
    assert len(versions) == 2
    assert merge(old, new).counts == dict.fromkeys(Fate, 0)


def test_buckets_that_cannot_be_merged_are_refused_with_a_sentence(old: str, new: str) -> None:
    for wanted, error, sentence in (
        (Merge(old=old, new=old), UsageError, "cannot be merged into itself"),
        (Merge(old="gone-bucket", new=new), NotFound, "bucket gone-bucket does not exist"),
        (Merge(old=old, new="gone-bucket"), NotFound, "bucket gone-bucket does not exist"),
        (Merge(old=old, new="no bucket"), UsageError, "'no bucket' cannot be the name of a bucket"),
    ):
        with pytest.raises(error, match=sentence):
            check_merge(wanted)


@pytest.mark.parametrize("size", [PART - 1, 5 * 1024 * MIB + 1])
def test_parts_that_s3_would_refuse_are_refused(size: int) -> None:
    with pytest.raises(ValidationError, match="part_size"):
        Merge(old="old", new="new", part_size=size)
