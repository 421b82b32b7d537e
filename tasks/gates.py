"""Whether a step of an upgrade may stand: the new version's requests against the old version's, as pure arithmetic."""

from __future__ import annotations

import math
from enum import StrEnum
from importlib import import_module

from tasks.errors import RoleInvalid
from tasks.model import Noun, Version
from tasks.rollouts import FULL, Gate

FEWEST = 10
"""Requests below which no version is called bad."""

Z = 3.0
"""Standard deviations: how sure a difference must be before it ends an upgrade.

One-sided 99.9 %, because a gate looks again and again: twenty looks at a growing window of two equally good versions
fail fewer than one in a hundred.
"""


SOME = 0.5
"""Of the requests that a version was sent, this share at least has to be over, well or not."""


class Outcome(StrEnum):
    """`inconclusive`: hold, look again; at the deadline it fails."""

    passed = "pass"
    failed = "fail"
    inconclusive = "inconclusive"


class Verdict(Noun):
    """What a gate found, and the figures it found it by."""

    outcome: Outcome
    reason: str


class Sample(Noun):
    """What became of a version's requests during some time; `p95` in seconds, None when nothing was measured."""

    requests: int = 0
    errors: int = 0
    p95: float | None = None

    @property
    def error_share(self) -> float:
        """Failed requests among all; 0 without any."""
        return self.errors / self.requests if self.requests else 0.0


class GateFacts(Noun):
    """What a gate may judge by."""

    old: Version
    new: Version
    percent: int
    old_sample: Sample
    new_sample: Sample


def judge(gate: Gate, new: Sample, old: Sample) -> Verdict:
    """Compare two samples of the same time.

    A failure may be seen early, as soon as it cannot be chance any more; passing needs `min_requests`.
    """
    allowed = old.error_share + gate.error_share
    errors = f"{new.errors} of {new.requests} requests failed ({new.error_share:.1%}, allowed {allowed:.1%})"
    if new.requests >= FEWEST and _surely_worse_by(new, old) > gate.error_share:
        return Verdict(outcome=Outcome.failed, reason=errors)
    if new.requests < gate.min_requests:
        return Verdict(outcome=Outcome.inconclusive, reason=f"{new.requests} of {gate.min_requests} requests seen")
    if new.error_share > allowed:
        return Verdict(outcome=Outcome.inconclusive, reason=f"{errors}: more are needed to be sure")
    slow = _too_slow(gate, new, old)
    if slow:
        return Verdict(outcome=Outcome.failed, reason=slow)
    p95 = "" if new.p95 is None else f", p95 {new.p95 * 1000:.0f} ms"
    return Verdict(outcome=Outcome.passed, reason=errors + p95)


def judge_share(percent: int, new: Sample, old: Sample, fewest: int) -> Verdict:
    """Whether the share of requests that really arrived is the share that was written, within chance.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html#forward-actions
    """
    total, wanted = new.requests + old.requests, percent / FULL
    seen = f"{new.requests} of {total} requests arrived at it"
    if total < fewest:
        return Verdict(outcome=Outcome.inconclusive, reason=f"{total} of {fewest} requests seen in all")
    spread = 1.5 * Z * math.sqrt(total * wanted * (1 - wanted)) + 1
    if new.requests + spread < SOME * total * wanted:
        return Verdict(outcome=Outcome.failed, reason=f"{seen}, though it gets {percent} %: the others hang")
    if total and abs(new.requests - total * wanted) > spread + 0.02 * total:
        return Verdict(outcome=Outcome.inconclusive, reason=f"{seen}, not {percent} %")
    return Verdict(outcome=Outcome.passed, reason=seen)


def _too_slow(gate: Gate, new: Sample, old: Sample) -> str:
    if new.p95 is None or old.p95 is None:
        return ""
    limit = old.p95 * gate.latency_factor + gate.latency_slack.total_seconds()
    if new.p95 <= limit:
        return ""
    return f"p95 is {new.p95 * 1000:.0f} ms, allowed {limit * 1000:.0f} ms (the old version's: {old.p95 * 1000:.0f} ms)"


def _surely_worse_by(new: Sample, old: Sample) -> float:
    """The smallest difference of the error shares that two samples leave possible; both may be off by chance.

    Newcombe's interval, see https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C873::AID-SIM779%3E3.0.CO;2-I
    (method 10). Without old requests the old version counts as one that never fails.
    """
    lowest, highest = _bounds(new)[0], _bounds(old)[1] if old.requests else 0.0
    off = math.hypot(new.error_share - lowest, highest - old.error_share)
    return new.error_share - old.error_share - off


def _bounds(sample: Sample) -> tuple[float, float]:
    """The lowest and highest error share that such a sample leaves possible: Wilson's score interval.

    https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval
    """
    share, requests, z2 = sample.error_share, sample.requests, Z * Z
    middle = share + z2 / (2 * requests)
    half = Z * math.sqrt(share * (1 - share) / requests + z2 / (4 * requests * requests))
    return (middle - half) / (1 + z2 / requests), (middle + half) / (1 + z2 / requests)


def ask_own_gate(role: str, gate: Gate, facts: GateFacts) -> Verdict:
    """The verdict of the function that the role names. Raises RoleInvalid when there is none, or it gives none."""
    module, _, name = gate.function.partition(":")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise RoleInvalid(f"roles/{role}/role.toml", f"rollout.gate.function {gate.function}: {error}") from None
    verdict = function(facts)
    if not isinstance(verdict, Verdict):
        raise RoleInvalid(f"roles/{role}/role.toml", f"{gate.function} returned {verdict!r}, not a Verdict")
    return verdict
