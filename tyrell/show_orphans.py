"""What `tyrell sweep --yes` would delete, as people read it."""

from __future__ import annotations

from datetime import timedelta

from tasks.orphans import find_orphans
from tyrell.run import out, print_json


def show_orphans(stack: str, after: timedelta, *, json: bool) -> None:
    """Every version that nobody will finish, and why. Raises as `find_orphans` does."""
    orphans = find_orphans(stack, after)
    if json:
        print_json([orphan.model_dump() for orphan in orphans])
        return
    for orphan in orphans:
        out.print(f"  would delete {orphan.version.role} {orphan.version.id}: {orphan.why}", highlight=False)
    out.print("`tyrell sweep --yes` does it" if orphans else "nothing was left behind")
