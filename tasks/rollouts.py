"""How one version of a role takes over from another: the strategy, its steps, and what each step must prove."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import Field, model_validator

from tasks.model import Noun
from tasks.spelling import Duration

FULL = 100
"""Percent: all of the traffic."""


class Strategy(StrEnum):
    """How the new version takes over.

    `canary` in steps of traffic, `blue-green` with all traffic at once; for roles without traffic `rolling` in batches
    of machines, and `recreate`: the old machines go before the new ones come.
    """

    canary = "canary"
    blue_green = "blue-green"
    rolling = "rolling"
    recreate = "recreate"


class Smoke(Noun):
    """A request that every member of the new version must answer before it gets traffic."""

    path: str = Field(pattern="^/", examples=["/health"])
    """What is asked for."""
    status: int = Field(default=200, ge=100, le=599)
    """The HTTP status that is right."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent along."""
    times: int = Field(default=1, ge=1, le=1000)
    """How often each member is asked."""
    within: Duration = timedelta(seconds=2)
    """How long an answer usually takes at most: the median of all `times`."""


class Gate(Noun):
    """What the new version's requests must look like, next to the old version's in the same time."""

    min_requests: int = Field(default=50, ge=0)
    """Requests that must have been seen for a verdict; 0 lets a version pass that nobody asked anything."""
    error_share: float = Field(default=0.01, ge=0, le=1)
    """By how much the share of failed requests may be above the old version's."""
    latency_factor: float = Field(default=1.5, ge=1)
    """By what the old version's p95 is multiplied."""
    latency_slack: Duration = timedelta(milliseconds=100)
    """The new p95 may be the old one times the factor, plus the slack."""
    deadline: Duration = timedelta(minutes=10)
    """How long a gate may stay inconclusive after the step's pause."""
    function: str = Field(default="", pattern=r"^(|[\w.]+:\w+)$")
    """A gate of one's own, as `module:function`; it gets a `GateFacts` and returns a `Verdict` (see tasks/gates.py)."""


class Rollout(Noun):
    """How versions of a role replace one another."""

    strategy: Strategy = Strategy.canary
    """Canary and blue-green are for roles with traffic, rolling and recreate for those without."""
    steps: tuple[int, ...] = (1, 10, 50, FULL)
    """Percent of the traffic the new version has, step by step."""
    pause: Duration = timedelta(minutes=1)
    """How long each step is watched at least."""
    min_healthy_time: Duration = timedelta(seconds=10)
    """How long all new machines must be healthy without a break."""
    approve_before: tuple[int, ...] = ()
    """Steps that need a person's yes."""
    approval_timeout: Duration = timedelta(days=1)
    """After which no answer means no."""
    smoke: tuple[Smoke, ...] = ()
    """Requests that every new member must answer before it gets traffic."""
    gate: Gate | None = Field(default=Gate(), title="Gate")
    """None lets every step pass once its pause is over."""
    drain_rate: float = Field(default=50, gt=0)
    """WebSockets per second that are moved off the old version."""
    rollback_window: Duration = timedelta(hours=1)
    """How long the old version stays up, ready to take the traffic back in one write."""
    keep_versions: int = Field(default=2, ge=0)
    """How many idle versions are kept, without machines, for going back later."""
    keep_for: Duration = timedelta(days=7)
    """How long an idle version beyond those is kept."""
    batch: int = Field(default=1, ge=1)
    """Machines that a rolling replacement replaces at a time."""

    @model_validator(mode="after")
    def holds_together(self) -> Rollout:
        """Refuse what contradicts itself."""
        rising = all(low < high for low, high in zip(self.steps, self.steps[1:], strict=False))
        if not self.steps or not rising or self.steps[0] < 1 or self.steps[-1] != FULL:
            shown = ", ".join(map(str, self.steps)) or "none"
            raise ValueError(f"steps {shown} cannot be: they are percentages that rise and end with 100")
        if unknown := set(self.approve_before) - set(self.percents):
            raise ValueError(f"approve_before {min(unknown)} is none of the steps {', '.join(map(str, self.percents))}")
        if self.rollback_window > self.keep_for:
            raise ValueError(
                f"rollback_window {self.rollback_window} is longer than versions are kept (keep_for {self.keep_for})"
            )
        return self

    @property
    def percents(self) -> tuple[int, ...]:
        """The steps that its strategy takes."""
        return self.steps if self.strategy is Strategy.canary else (FULL,)

    @property
    def watched(self) -> bool:
        """Whether a step is more than its write: it lasts, or is judged."""
        return self.gate is not None or self.pause > timedelta()

    def percents_from(self, share: int) -> tuple[int, ...]:
        """The steps still to take when the new version has `share` percent already; the one it is at counts."""
        return tuple(percent for percent in self.percents if percent >= share)
