"""Holding a step of an upgrade until its gate has a verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks.errors import Disproved
from tasks.gates import FEWEST, GateFacts, Outcome, Sample, Verdict, ask_own_gate, judge, judge_share
from tasks.metrics import find_sample, next_period, period
from tasks.model import Group, Noun, Patience, Version
from tasks.rollouts import Gate, Rollout
from tasks.steps import step
from tasks.waits import NotYet, pause, wait_until

LOOK_BACK = timedelta(minutes=5)
"""How far back the old version's requests are looked at when it gets none any more."""


class Watched(Noun):
    """Whose requests are compared: by group for a role behind a balancer, where both versions have some at a time.

    A role without a balancer of its own is judged by the groups that pass its requests on, before and after.
    """

    old: Version
    new: Version
    old_groups: tuple[Group, ...]
    new_groups: tuple[Group, ...]
    since: datetime
    """When the share was written."""

    @property
    def side_by_side(self) -> bool:
        """Whether both versions are asked at the same time."""
        return self.old_groups != self.new_groups


@step("gate of {watched.new.role} {watched.new.id} at {percent} %", system="cloudwatch")
def await_gate(watched: Watched, plan: Rollout, percent: int) -> None:
    """Return when the step's pause is over and its gate says pass.

    Raises Disproved as soon as it says fail, Expired with the last verdict when it stays inconclusive.
    """
    name = f"{watched.new.role} {watched.new.id}"
    gate = plan.gate
    if gate is None:
        pause(f"{name} at {percent} %", plan.pause)
        return

    def look() -> bool | NotYet:
        now = datetime.now(UTC)
        verdict = _verdict(gate, watched, percent, now)
        if verdict.outcome is Outcome.failed:
            raise Disproved(name, f"at {percent} %: {verdict.reason}")
        left = watched.since + plan.pause - now
        if left > timedelta():
            return NotYet(f"watched for {left.seconds} s more; {verdict.reason}")
        return verdict.outcome is Outcome.passed or NotYet(verdict.reason)

    patience = Patience(timeout=plan.pause + gate.deadline, every=period() / 2)
    wait_until(f"the gate of {name} at {percent} %", look, patience)


def _verdict(gate: Gate, watched: Watched, percent: int, now: datetime) -> Verdict:
    old, new = _samples(watched, now)
    verdicts = [judge(gate, new, _baseline(watched, old))]
    if watched.side_by_side and gate.min_requests:
        verdicts.append(judge_share(percent, new, old, gate.min_requests))
    if gate.function:
        facts = GateFacts(old=watched.old, new=watched.new, percent=percent, old_sample=old, new_sample=new)
        verdicts.append(ask_own_gate(watched.new.role, gate, facts))
    worst = max(verdicts, key=lambda each: _SEVERITY.index(each.outcome))
    return Verdict(outcome=worst.outcome, reason="; ".join(each.reason for each in verdicts))


_SEVERITY = (Outcome.passed, Outcome.inconclusive, Outcome.failed)


def _samples(watched: Watched, now: datetime) -> tuple[Sample, Sample]:
    """The requests since the share was written, from the first whole period on: before it the share was another."""
    start = next_period(watched.since) + period()
    new = _together(watched.new_groups, start, now)
    return (_together(watched.old_groups, start, now) if watched.side_by_side else Sample()), new


def _baseline(watched: Watched, old: Sample) -> Sample:
    """What to compare with: the old version in the same time, or, when it was hardly asked, just before."""
    if old.requests >= FEWEST:
        return old
    return _together(watched.old_groups, watched.since - LOOK_BACK, watched.since)


def _together(groups: tuple[Group, ...], since: datetime, until: datetime) -> Sample:
    samples = [find_sample(group, since, until) for group in groups]
    times = [sample.p95 for sample in samples if sample.p95 is not None]
    return Sample(
        requests=sum(sample.requests for sample in samples),
        errors=sum(sample.errors for sample in samples),
        p95=max(times, default=None),
    )
