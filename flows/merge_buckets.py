"""The merge-buckets flow: the data of one bucket move to another, and nothing of them is lost on the way."""

from prefect import flow

from tasks.errors import LeftBehind
from tasks.merged import GIB, Merge, Merged
from tasks.merges import check_merge, merge_objects, publish_merge


@flow(name="merge-buckets", flow_run_name="merge {old} into {new}")
def merge_buckets(
    old: str,
    new: str,
    keep: bool = False,
    dry_run: bool = False,
    parallel: int = 32,
    part_size: int = 5 * GIB,
) -> Merged:
    """Copy every object of a bucket to another one, compare the two, and only then delete it where it was.

    S3 itself copies, nothing passes through this machine. Nothing is overwritten: an object that is there already
    with other content is left, named, and fails the run after all others were merged.

    Args:
        old: the bucket that the objects are in
        new: the bucket that they are to be in, under the same keys
        keep: leave them in the old bucket as well
        dry_run: only look, and say what would be done
        parallel: how many objects to work on at the same time
        part_size: bytes above which an object is copied in parts, and the size of these
    """
    merge = Merge(old=old, new=new, keep=keep, dry_run=dry_run, parallel=parallel, part_size=part_size)
    check_merge(merge)
    merged = merge_objects(merge)
    publish_merge(merged)
    if merged.left:
        raise LeftBehind(merged)
    return merged
