"""Merging two buckets: every object is copied, compared, and only then deleted where it was.

It can be killed anywhere and run again: what has been copied is seen and not copied a second time.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial

from botocore.exceptions import ClientError
from prefect.artifacts import create_markdown_artifact

from tasks.artifact_keys import What, artifact_key
from tasks.buckets import check_bucket
from tasks.clients import s3
from tasks.copies import copy_object, discard_copy
from tasks.errors import UsageError
from tasks.merge_progress import showing_progress
from tasks.merged import Fate, Merge, Merged, Outcome, Tally
from tasks.objects import StoredObject, find_object, find_objects, is_changed, is_missing, is_same
from tasks.steps import each_in_parallel, step

CHANGED = "it was changed during the merge; run it again"
TAKEN = "the new bucket has other content under this key; delete or rename one of the two"
DIFFERENT = "its copy turned out to be different and was removed; run it again"


def check_merge(merge: Merge) -> None:
    """Raises NotFound or UsageError when one of the buckets cannot be used, or both are the same."""
    if merge.old == merge.new:
        raise UsageError(f"bucket {merge.old} cannot be merged into itself; name another one to merge it into")
    check_bucket(merge.old)
    check_bucket(merge.new)


@step("merge bucket {merge.old} into {merge.new}", system="s3")
def merge_objects(merge: Merge) -> Merged:
    """Take every object of the old bucket to the new one. An object that cannot be taken is told, and left.

    Raises ClientError when the old bucket cannot be listed, BotoCoreError when S3 cannot be reached any more.
    """
    total, tally = sum(1 for _ in find_objects(merge.old)), Tally(merge)
    each = each_in_parallel(partial(merge_object, merge), find_objects(merge.old), merge.parallel)
    with closing(each) as outcomes, showing_progress(merge, tally, total) as one_more:
        for outcome in outcomes:
            tally.add(outcome)
            one_more()
    return tally.merged()


def merge_object(merge: Merge, source: StoredObject) -> Outcome:
    """Take one object to the new bucket; whatever S3 has against it is told in the outcome."""
    outcome = partial(Outcome, key=source.key, size=source.size)
    try:
        fate, why = _copy(merge, source)
        hidden = fate is not Fate.LEFT and not (merge.keep or merge.dry_run) and _delete(source)
        return outcome(fate=fate, why=why, hidden=hidden)
    except ClientError as error:
        if is_missing(error):
            return outcome(fate=Fate.GONE)
        return outcome(fate=Fate.LEFT, why=CHANGED if is_changed(error) else _reason(error))


def _copy(merge: Merge, source: StoredObject) -> tuple[Fate, str]:
    """Have a verified copy in the new bucket; why not, when there is none."""
    try:
        copy = None if merge.dry_run else copy_object(source, merge.new, merge.part_size)
    except ClientError as error:
        if not is_changed(error):
            raise
        copy = None
    there = copy or find_object(merge.new, source.key)
    if there is None:
        return (Fate.COPIED, "") if merge.dry_run else (Fate.LEFT, CHANGED)
    if is_same(source, there):
        return (Fate.COPIED if copy else Fate.FOUND), ""
    if copy:
        discard_copy(copy)
    return Fate.LEFT, DIFFERENT if copy else TAKEN


def _delete(source: StoredObject) -> bool:
    """Delete it unless it has changed. Returns whether it is only hidden: its bucket keeps versions."""
    deleted = s3().delete_object(Bucket=source.bucket, Key=source.key, IfMatch=source.etag)
    return deleted.get("DeleteMarker", False)


def _reason(error: ClientError) -> str:
    told = error.response["Error"]
    return f"{error.operation_name} was refused: {told['Code']} {told.get('Message', '')}".strip()


@step("summary of merging {merged.merge.old}", system="artifacts")
def publish_merge(merged: Merged) -> None:
    """The summary, also with every object that was left, as a markdown artifact of the run."""
    lines = "\n".join(f"- {line}" for line in merged.told())
    merge = merged.merge
    key = artifact_key(What.MERGE, merge.old, "to", merge.new)
    create_markdown_artifact(lines, key=key, description=f"{merge.old} into {merge.new}")
