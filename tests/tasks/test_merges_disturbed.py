"""Others write while a merge runs, or it is killed: nothing is lost, overwritten or copied twice."""

from __future__ import annotations

import pytest

from tasks.clients import s3
from tasks.merged import Fate
from tasks.merges import CHANGED, DIFFERENT, TAKEN
from tasks.steps import in_parallel
from tests.tasks.merging import left, merge
from tests.tasks.own_s3 import PART, Killed, Requests, contents, new_bucket, nothing, put, put_in_parts

pytestmark = pytest.mark.usefixtures("s3_of_our_own")


def test_an_object_that_changes_before_it_is_copied_is_left(old: str, new: str) -> None:
    put(old, {"reading": b"1"})
    with Requests() as requests:
        requests.before_each("CopyObject", lambda: put(old, {"reading": b"2"}))
        assert left(merge(old, new)) == {"reading": CHANGED}
    assert (contents(old), contents(new)) == ({"reading": b"2"}, {})
    merge(old, new)
    assert (contents(old), contents(new)) == ({}, {"reading": b"2"})


def test_an_object_that_changes_after_it_was_copied_is_not_deleted(old: str, new: str) -> None:
    put(old, {"reading": b"1"})
    with Requests() as requests:
        requests.before_each("DeleteObject", lambda: put(old, {"reading": b"2"}))
        assert left(merge(old, new)) == {"reading": CHANGED}
    assert (contents(old), contents(new)) == ({"reading": b"2"}, {"reading": b"1"})
    assert left(merge(old, new)) == {"reading": TAKEN}


def test_an_object_that_changes_while_its_parts_are_copied_is_left_without_leftovers(old: str, new: str) -> None:
    put_in_parts(old, "reading", [b"a" * PART, b"b"])
    with Requests() as requests:
        requests.before_each("UploadPartCopy", lambda: put(old, {"reading": b"2"}))
        assert left(merge(old, new)) == {"reading": CHANGED}
    assert (contents(old), contents(new)) == ({"reading": b"2"}, {})
    assert "Uploads" not in s3().list_multipart_uploads(Bucket=new)


def test_an_object_that_somebody_deletes_meanwhile_is_no_failure(old: str, new: str) -> None:
    put(old, {"reading": b"1", "stays": b"1"})
    with Requests() as requests:
        requests.before_each("CopyObject", lambda: s3().delete_object(Bucket=old, Key="reading"))
        merged = merge(old, new)
    assert merged.told()[1] == "1 object had been deleted by somebody else meanwhile"
    assert contents(new) == {"stays": b"1"}


def test_an_object_that_somebody_puts_there_meanwhile_is_not_overwritten(old: str, new: str) -> None:
    put(old, {"reading": b"1"})
    with Requests() as requests:
        requests.before_each("CopyObject", lambda: put(new, {"reading": b"2"}))
        assert left(merge(old, new)) == {"reading": TAKEN}
    assert (contents(old), contents(new)) == ({"reading": b"1"}, {"reading": b"2"})


def test_two_merges_at_the_same_time_are_one(old: str, new: str) -> None:
    objects = {f"device/{number}": b"21" for number in range(40)}
    put(old, objects)
    first, second = in_parallel([lambda: merge(old, new), lambda: merge(old, new)])
    assert (first.left, second.left) == (0, 0)
    assert (contents(old), contents(new)) == ({}, objects)


def test_parts_of_something_else_are_not_taken_for_a_copy(old: str, new: str) -> None:
    put_in_parts(old, "reading", [b"a" * PART, b"b"])
    stale = s3().create_multipart_upload(Bucket=new, Key="reading")["UploadId"]
    s3().upload_part(Bucket=new, Key="reading", UploadId=stale, PartNumber=1, Body=b"z" * PART)
    merged = merge(old, new)
    assert left(merged) == {"reading": DIFFERENT}
    assert contents(new) == {}
    assert merge(old, new).counts[Fate.COPIED] == 1
    assert contents(new) == {"reading": b"a" * PART + b"b"}


SMALL = {"a": b"1"}
LARGE = [b"b" * PART, b"c"]


@pytest.mark.cloud
@pytest.mark.parametrize("answered", [False, True], ids=["before a request", "before its answer"])
def test_killed_anywhere_and_run_again_nothing_is_lost_or_copied_twice(answered: bool) -> None:
    whole = SMALL | {"large": b"".join(LARGE)}
    for number in range(1, 100):
        old, new = new_bucket(), new_bucket()
        put(old, SMALL)
        put_in_parts(old, "large", LARGE)
        with Requests() as requests:
            requests.kill_at(number, answered=answered)
            try:
                merge(old, new, parallel=1)
                break
            except Killed:
                requests.before = requests.after = nothing
            assert contents(new).items() <= whole.items()
            assert contents(old) | contents(new) == whole
            merged = merge(old, new)
        assert (merged.left, contents(old)) == (0, {})
        assert contents(new) == whole
        assert requests.copies() == len(SMALL) + len(LARGE)
        assert "Uploads" not in s3().list_multipart_uploads(Bucket=new)
    assert number > 10, "it was killed at each of its requests"
