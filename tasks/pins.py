"""What a group's tag says while an upgrade holds its size: for which version, and how the group was before."""

from __future__ import annotations

from tasks.model import Group, Noun

PINNED = "tyrell:pinned"
SUSPENDED = ("ScheduledActions", "AZRebalance", "AlarmNotification")
"""Who else would change a group's size while one version replaces another.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
"""


class Pin(Noun):
    """`to` is the version that is to replace the group's, or that it is to be; the rest is how the group was."""

    to: str
    min: int
    size: int
    suspended: str
    """The processes that were running and are to run again, joined by `+`."""

    def __str__(self) -> str:
        return f"to={self.to} min={self.min} size={self.size} suspended={self.suspended}"

    @property
    def processes(self) -> tuple[str, ...]:
        """Those suspended, one by one."""
        return tuple(filter(None, self.suspended.split("+")))


def pin_of(group: Group) -> Pin | None:
    """What its tag says; None when nobody holds its size."""
    facts = dict(each.split("=", 1) for each in group.tags.get(PINNED, "").split())
    return Pin.model_validate(facts) if facts else None


def pin_for(group: Group, to: str) -> Pin:
    """What its tag is to say. How it was before is as an earlier pin says, by an upgrade that died.

    Only its size may be larger now: a new version without traffic is pinned before it has machines.
    """
    earlier = pin_of(group)
    if earlier:
        return earlier.model_copy(update={"to": to, "size": max(earlier.size, group.desired)})
    running = (process for process in SUSPENDED if process not in group.suspended)
    return Pin(to=to, min=group.min, size=group.desired, suspended="+".join(running))


def pinned_for(group: Group) -> str:
    """The id of the version that was to replace it, or that it was to be, when its size was pinned; else empty."""
    pin = pin_of(group)
    return pin.to if pin else ""


def pinned_size(group: Group) -> int:
    """How many machines it had when its size was pinned; as many as now when it is not."""
    pin = pin_of(group)
    return pin.size if pin else group.desired
