"""Lifecycle hooks at work: how long they hold an instance and how that ends.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tyrell.local.autoscaling.records import Hold, Hook, Member, Result

LONGEST = timedelta(hours=48)
"""The global timeout is 48 hours or 100 heartbeats, whichever is smaller."""


def hold(hook: Hook, now: datetime) -> Hold:
    """The hold of `hook` on an instance from `now` on."""
    heartbeat = timedelta(seconds=hook.heartbeat)
    return Hold(hook, until=now + heartbeat, last=now + min(LONGEST, 100 * heartbeat))


def heartbeat(held: Hold, now: datetime) -> None:
    """Hold on for one more heartbeat from `now`, but not beyond the global timeout."""
    held.until = min(held.last, now + timedelta(seconds=held.hook.heartbeat))


def verdict(member: Member, now: datetime) -> Result | None:
    """How the instance's holds ended: None while one goes on, ABANDON as soon as one was abandoned, else CONTINUE."""
    results = [_result(held, now) for held in member.holds.values()]
    if "ABANDON" in results:
        return "ABANDON"
    return None if None in results else "CONTINUE"


def abandonment(member: Member, now: datetime) -> str:
    """Why the instance's launch was abandoned, in AWS's words."""
    for held in member.holds.values():
        if _result(held, now) == "ABANDON":
            how = "Lifecycle Action Completed with ABANDON Result" if held.result else "Heartbeat Timeout"
            return (
                "Instance failed to complete user's Lifecycle Action: "
                f"Lifecycle Action with token {held.token} was abandoned: {how}"
            )
    return ""


def _result(held: Hold, now: datetime) -> Result | None:
    if held.result is None and now >= held.until:
        return held.hook.default
    return held.result
