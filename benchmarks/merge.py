"""How much faster a merge of two buckets is than copying one object after the other: `python -m benchmarks.merge`.

10,000 small objects move; one at a time, a part of them does, because that takes the same time for each. moto alone
answers in about 2 ms, and one interpreter cannot ask and be asked faster than that; on AWS most of the time is waiting:
"roughly 100-200 milliseconds" (https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html).
So there is a network of 50 ms between the two, which is less than that; how it is without one is told, too. Takes about
five minutes and ends with 1 when the merge is not five times as fast.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

from benchmarks.far_s3 import far_s3
from benchmarks.figures import Figure, show
from tasks.clients import s3
from tasks.merged import Merge
from tasks.merges import merge_objects
from tasks.steps import each_in_parallel
from tests.tasks.own_s3 import new_bucket

OBJECTS, ONE_BY_ONE, NEAR = 10_000, 200, 1_000
FAR_SECONDS = 0.05
AT_ONCE = Merge.model_fields["parallel"].default
TIMES_FASTER = 5


def filled_bucket(objects: int) -> str:
    """A bucket with that many objects of 1 KB."""
    bucket = new_bucket()

    def put(number: int) -> None:
        s3().put_object(Bucket=bucket, Key=f"device/{number:06}", Body=b"x" * 1000)

    for _ in each_in_parallel(put, range(objects), AT_ONCE):
        pass
    return bucket


def merging(objects: int, at_once: int) -> float:
    """The seconds of moving that many objects, so many at a time."""
    merge = Merge(old=filled_bucket(objects), new=new_bucket(), parallel=at_once)
    began = time.monotonic()
    merged = merge_objects.fn(merge)
    seconds = time.monotonic() - began
    assert merged.told()[0].startswith(f"moved {objects:,} objects"), merged.told()
    return seconds


def measure() -> Iterator[Figure]:
    """Far away, against the bound; then without a network."""
    with far_s3(FAR_SECONDS):
        one_by_one = merging(ONE_BY_ONE, at_once=1) * OBJECTS / ONE_BY_ONE
        yield Figure(f"{OBJECTS:,} objects, one at a time (from {ONE_BY_ONE})", one_by_one, "s")
        merged = merging(OBJECTS, AT_ONCE)
        yield Figure(f"{OBJECTS:,} objects, {AT_ONCE} at a time", merged, "s", one_by_one / TIMES_FASTER)
        yield Figure("times faster", one_by_one / merged, "")
    with far_s3(0):
        yield Figure(
            f"without a network, {NEAR:,} objects: times faster", merging(NEAR, 1) / merging(NEAR, AT_ONCE), ""
        )


def main(_arguments: Sequence[str] = ()) -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    return show(list(measure()))


if __name__ == "__main__":
    sys.exit(main())
