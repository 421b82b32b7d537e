"""Merges as the tests make them: without a flow, and with small parts."""

from __future__ import annotations

from tasks.merged import Merge, Merged
from tasks.merges import merge_objects
from tests.tasks.own_s3 import PART


def merge(old: str, new: str, *, keep: bool = False, dry_run: bool = False, parallel: int = 8) -> Merged:
    """Merge, with objects above 5 MiB in parts."""
    return merge_objects.fn(Merge(old=old, new=new, keep=keep, dry_run=dry_run, parallel=parallel, part_size=PART))


def left(merged: Merged) -> dict[str, str]:
    """Why each object was left."""
    return {each.key: each.why for each in merged.problems}
