"""A role of a stack, simulated: versions, machines, traffic, pins, marks and the lock, and what must hold of them.

A group is the real noun with the real tags, so what reads it in `tasks` can be asked here too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tasks.marks import HOT_UNTIL, LEFT
from tasks.model import Group, Version
from tasks.pins import PINNED, pin_for, pin_of
from tasks.rollouts import FULL

SIZE = 3
LARGEST = 9


def a_version(name: str) -> Version:
    """The version of that id."""
    return Version(stack="lab", role="router", id=name)


@dataclass
class Cloud:
    """What AWS and etcd hold of one role; `shares` is its listener rule, or its pointer: one version with 100.

    `wrongs` are sentences on what should never have happened.
    """

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    groups: dict[str, Group] = field(default_factory=dict)
    healthy: dict[str, int] = field(default_factory=dict)
    shares: dict[str, int] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)
    holder: int = 0
    locks_made: int = 0
    journal: list[str] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)

    def expect(self, holds: bool, otherwise: str) -> None:
        """Note a wrong unless it holds; an exception would be taken for a failure of the release."""
        if not holds:
            self.wrongs.append(f"{otherwise} (after {', '.join(self.journal[-6:])})")

    def take_lock(self) -> int:
        """A new lock; whoever had it before has died or overslept."""
        self.locks_made += 1
        self.holder = self.locks_made
        return self.holder

    def _change(self, name: str, **fields: object) -> None:
        self.groups[name] = self.groups[name].model_copy(update=fields)

    def tag(self, name: str, **tags: str) -> None:
        """Add tags to a group; the names are those of the constants in `tasks.marks`."""
        named = {"pinned": PINNED, "left": LEFT, "hot_until": HOT_UNTIL}
        self._change(name, tags=self.groups[name].tags | {named[key]: value for key, value in tags.items()})

    def untag(self, name: str, *keys: str) -> None:
        """Remove tags from a group."""
        self._change(name, tags={key: value for key, value in self.groups[name].tags.items() if key not in keys})

    def create(self, name: str) -> None:
        """A group without machines, unless it is there."""
        if name not in self.groups:
            self.groups[name] = Group(
                name=f"lab-router-{name}",
                version=a_version(name),
                release=name,
                min=0,
                max=LARGEST,
                desired=0,
                target_groups=(),
                machines=(),
            )
            self.healthy[name] = 0

    def resize(self, name: str, size: int) -> None:
        """As many machines; those that are new are not healthy yet."""
        self._change(name, desired=size, min=min(self.groups[name].min, size))
        self.healthy[name] = min(self.healthy[name], size)

    def boot(self, name: str) -> None:
        """All machines the group should have become healthy."""
        self.healthy[name] = self.groups[name].desired

    def pin(self, name: str, to: str, *, hold: bool) -> None:
        """See `tasks.marks.pin`."""
        group = self.groups[name]
        pin = pin_for(group, to)
        self.tag(name, pinned=str(pin))
        self._change(name, suspended=pin.processes, min=group.desired if hold else group.min)

    def unpin(self, name: str) -> None:
        """See `tasks.marks.unpin`."""
        group = self.groups[name]
        before = pin_of(group)
        if before:
            self._change(name, suspended=(), min=min(before.min, group.desired))
            self.untag(name, PINNED)

    def mark_left(self, name: str, window: timedelta) -> None:
        """See `tasks.marks.mark_left`."""
        if LEFT not in self.groups[name].tags:
            self.tag(name, left=self.now.isoformat(), hot_until=(self.now + window).isoformat())

    def give(self, shares: dict[str, int]) -> None:
        """The one write that moves traffic."""
        before, self.shares = self.shares, {name: share for name, share in shares.items() if share}
        self.expect(sum(self.shares.values()) == FULL, f"traffic is {self.shares}, not 100 % in all")
        self.expect(len(self.shares) <= 2, f"more than two versions have traffic: {self.shares}")
        for name in (name for name, share in self.shares.items() if share > before.get(name, 0)):
            self.expect(self.healthy[name] > 0, f"{name} gets traffic without a healthy machine")
            self.expect(name not in self.bad, f"{name} is bad and gets traffic")

    def delete(self, name: str, *, forced: bool = False) -> None:
        """The version is gone."""
        until = self.groups[name].tags.get(HOT_UNTIL, "")
        self.expect(name not in self.shares, f"{name} is deleted with traffic")
        self.expect(forced or until <= self.now.isoformat(), f"{name} is deleted inside its window")
        del self.groups[name], self.healthy[name]

    def by_name(self) -> tuple[Group, ...]:
        """All groups, as `tasks.groups.find_groups` returns them."""
        return tuple(sorted(self.groups.values(), key=lambda group: group.name))

    def pinned(self) -> list[str]:
        """The versions whose size is held."""
        return [group.version.id for group in self.by_name() if PINNED in group.tags]

    def seen(self) -> object:
        """Everything that runs change; machines live and die by themselves."""
        groups = {name: (group.desired, group.min, group.suspended, group.tags) for name, group in self.groups.items()}
        return groups, self.shares, self.bad


def a_cloud() -> Cloud:
    """Version `one` is live with three machines."""
    cloud = Cloud()
    cloud.create("one")
    cloud.resize("one", SIZE)
    cloud.boot("one")
    cloud.give({"one": FULL})
    return cloud
