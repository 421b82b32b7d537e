"""What `merge-buckets` would do."""

from __future__ import annotations

from functools import partial

from tasks.merged import Merge, Tally
from tasks.merges import check_merge, merge_object
from tasks.objects import find_objects
from tasks.planning.plan import Draft, Step
from tasks.planning.steps import IN_ITS_TIME
from tasks.steps import each_in_parallel


def plan_merge_buckets(old: str, new: str, keep: bool, parallel: int, part_size: int) -> Draft:
    """Every object is looked at in both buckets. What comes in later is merged as well: it is no fact of the plan."""
    merge = Merge(old=old, new=new, keep=keep, dry_run=True, parallel=parallel, part_size=part_size)
    check_merge(merge)
    tally = Tally(merge)
    for outcome in each_in_parallel(partial(merge_object, merge), find_objects(old), parallel):
        tally.add(outcome)
    verb = "copy" if keep else "move"
    return Draft(
        of=old,
        facts={f"bucket {old}": "there", f"bucket {new}": "there"},
        steps=(Step(what=f"{verb} every object of {old} to {new}", most=IN_ITS_TIME),),
        seen=tally.merged().told(),
    )
