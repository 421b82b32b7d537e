"""Machine images as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from rich.table import Table

from tasks.bakes import Baked
from tasks.builds import Build
from tyrell.run import out, print_json


def show_bake(baked: Baked) -> None:
    """One line."""
    seconds = f"  {baked.seconds:.0f} s" if baked.seconds else ""
    out.print(f"{baked.build.kind}  {baked.outcome}  {baked.build.ami}  {baked.build.name}{seconds}", highlight=False)
    if baked.changed:
        out.print(f"changed since the newest before it: {', '.join(baked.changed)}", highlight=False)


def show_builds(builds: Sequence[Build], users: Mapping[str, Sequence[str]]) -> None:
    """The machine images, and which versions are made of each."""
    now = datetime.now(UTC)
    table = Table(title="machine images", title_justify="left", title_style="bold")
    for heading in ("image", "kind", "release", "bake key", "age", "Docker images", "commit", "used by"):
        table.add_column(heading, overflow="fold")
    for build in builds:
        table.add_row(
            build.ami if build.state == "available" else f"{build.ami} ({build.state})",
            build.kind,
            build.release,
            build.key[:12],
            _age(now - build.created),
            "\n".join(build.images.values()),
            build.commit[:7] + ("-dirty" if build.commit.endswith("-dirty") else ""),
            "\n".join(users.get(build.ami, ())) or "–",
        )
    out.print(table if builds else "no machine image was baked; `tyrell bake` makes one")


def show_prunable(builds: Sequence[Build], orphans: Sequence[str], *, json: bool) -> None:
    """What `tyrell builds prune --yes` would do."""
    if json:
        print_json({"images": [build.model_dump() for build in builds], "snapshots": orphans})
        return
    for build in builds:
        snapshots = f" with its snapshot {', '.join(build.snapshots)}" if build.snapshots else ""
        age = _age(datetime.now(UTC) - build.created)
        out.print(f"  would delete {build.ami} ({build.name}, {age} old){snapshots}", highlight=False, soft_wrap=True)
    for snapshot in orphans:
        out.print(f"  would delete {snapshot}, whose machine image is gone", highlight=False)
    out.print("`tyrell builds prune --yes` does it" if builds or orphans else "every machine image is needed")


def _age(age: timedelta) -> str:
    """In the largest unit that is not 0: `3 d`, `5 h`, `12 min`."""
    minutes = int(age.total_seconds()) // 60
    if minutes >= 24 * 60:
        return f"{minutes // (24 * 60)} d"
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"
