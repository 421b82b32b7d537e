"""Which machine images may go: never one that a version is made of, nor the newest of its kind."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tasks.builds import Build, find_builds, find_users


def find_prunable() -> tuple[Build, ...]:
    """The machine images that may go now, the oldest first."""
    return choose_prunable(find_builds(), find_users())


def choose_prunable(builds: Sequence[Build], used: Collection[str]) -> tuple[Build, ...]:
    """Those of the finished `builds` that may go, the oldest first; `used` are the ids that versions are made of.

    A version keeps its image as long as its stack is there, so also through its rollback window and without machines.
    """
    newest: dict[str, str] = {}
    for build in sorted(builds, key=lambda build: build.created):
        if build.state == "available":
            newest[build.kind] = build.ami
    kept = {*used, *newest.values()}
    old = [build for build in builds if build.ami not in kept and build.state != "pending"]
    return tuple(sorted(old, key=lambda build: build.created))
