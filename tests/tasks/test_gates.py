"""A gate calls a bad release bad, soon and almost always, and a good one almost never."""

from __future__ import annotations

import random
import re
from datetime import timedelta

import pytest

from tasks.errors import RoleInvalid
from tasks.gates import GateFacts, Outcome, Sample, Verdict, ask_own_gate, judge, judge_share
from tasks.model import Version
from tasks.rollouts import Gate

PASS, FAIL, HOLD = Outcome.passed, Outcome.failed, Outcome.inconclusive
GATE = Gate()
SEEDS = range(1000)


def sample(requests: int, errors: int = 0, p95: float | None = 0.1) -> Sample:
    """What a version did."""
    return Sample(requests=requests, errors=errors, p95=p95)


@pytest.mark.parametrize(
    ("gate", "new", "old", "outcome", "reason"),
    [
        (GATE, sample(0), sample(1000), HOLD, "0 of 50 requests seen"),
        (GATE, sample(49), sample(1000), HOLD, "49 of 50 requests seen"),
        (GATE, sample(50), sample(1000), PASS, "0 of 50 requests failed .*, p95 100 ms"),
        (Gate(min_requests=0), Sample(), Sample(), PASS, "0 of 0 requests failed"),
        (GATE, sample(9, 9), sample(1000), HOLD, "9 of 50 requests seen"),
        (GATE, sample(10, 10), sample(1000), FAIL, r"10 of 10 requests failed \(100.0%, allowed 1.0%\)"),
        (GATE, sample(500, 100), sample(500, 100), PASS, "allowed 21.0%"),
        (GATE, sample(500, 100), sample(500, 0), FAIL, "100 of 500 requests failed"),
        (GATE, sample(100, 2), sample(1000), HOLD, "more are needed to be sure"),
        (Gate(error_share=0.5), sample(100, 40), sample(100), PASS, "allowed 50.0%"),
        (GATE, sample(100, 0, 0.250), sample(100, 0, 0.100), PASS, "p95 250 ms"),
        (GATE, sample(100, 0, 0.251), sample(100, 0, 0.100), FAIL, "p95 is 251 ms, allowed 250 ms"),
        (Gate(latency_slack=timedelta()), sample(100, 0, 0.151), sample(100), FAIL, "allowed 150 ms"),
        (GATE, sample(100, 0, 9.9), sample(0, 0, None), PASS, "p95 9900 ms"),
        (GATE, sample(100, 0, None), sample(100), PASS, r"allowed 1.0%\)$"),
        (GATE, sample(49, 0, 9.9), sample(100), HOLD, "49 of 50"),
    ],
)
def test_two_samples_are_judged(gate: Gate, new: Sample, old: Sample, outcome: Outcome, reason: str) -> None:
    verdict = judge(gate, new, old)
    assert verdict.outcome is outcome
    assert re.search(reason, verdict.reason)


def first_failure(seed: int, share: float, old_share: float, times: int, looks: range) -> int | None:
    """The look, by the requests the new version had by then, at which it is called bad; the old one had `times` more.

    None when it is never called bad.
    """
    chance = random.Random(seed)  # noqa: S311  no secret
    new = old = seen = 0
    for requests in looks:
        new += sum(chance.random() < share for _ in range(requests - seen))
        old += sum(chance.random() < old_share for _ in range((requests - seen) * times))
        seen = requests
        if judge(GATE, sample(requests, new), sample(requests * times, old)).outcome is FAIL:
            return requests
    return None


@pytest.mark.parametrize("old_share", [0.0, 0.005])
def test_a_release_that_fails_a_fifth_is_called_bad_within_60_requests(old_share: float) -> None:
    looks = range(10, 61, 10)
    found = [first_failure(seed, share=0.2, old_share=old_share, times=9, looks=looks) for seed in SEEDS]
    assert sum(each is not None for each in found) > 990


def test_against_as_few_requests_of_the_old_version_it_takes_no_more_than_200() -> None:
    looks = range(20, 201, 20)
    found = [first_failure(seed, share=0.2, old_share=0.0, times=1, looks=looks) for seed in SEEDS]
    assert sum(each is not None for each in found) > 990


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_an_equally_good_release_is_not_called_bad_however_often_one_looks(share: float) -> None:
    looks = range(100, 2001, 100)
    found = [first_failure(seed, share=share, old_share=share, times=1, looks=looks) for seed in SEEDS]
    assert sum(each is not None for each in found) < 10


@pytest.mark.parametrize(
    ("percent", "new", "old", "outcome", "reason"),
    [
        (10, 4, 36, HOLD, "40 of 50 requests seen in all"),
        (10, 100, 900, PASS, "100 of 1000 requests arrived at it"),
        (10, 900, 100, HOLD, "900 of 1000 requests arrived at it, not 10 %"),
        (10, 0, 1000, FAIL, "0 of 1000 requests arrived at it, though it gets 10 %: the others hang"),
        (10, 80, 920, PASS, "80 of 1000"),
        (10, 30, 970, HOLD, "30 of 1000 requests arrived at it, not 10 %"),
        (1, 0, 100, PASS, "0 of 100"),
        (50, 480, 520, PASS, "480 of 1000"),
        (100, 1000, 0, PASS, "1000 of 1000"),
        (100, 900, 100, HOLD, "not 100 %"),
    ],
)
def test_the_share_that_arrived_is_the_one_that_was_written(
    percent: int, new: int, old: int, outcome: Outcome, reason: str
) -> None:
    verdict = judge_share(percent, sample(new), sample(old), fewest=50)
    assert verdict.outcome is outcome
    assert reason in verdict.reason


FACTS = GateFacts(
    old=Version(stack="lab", role="router", id="one"),
    new=Version(stack="lab", role="router", id="two"),
    percent=10,
    old_sample=sample(900),
    new_sample=sample(100, 7),
)


def few_errors(facts: GateFacts) -> Verdict:
    """A gate as a role may have it."""
    fine = facts.new_sample.errors < 5
    return Verdict(outcome=PASS if fine else FAIL, reason=f"{facts.new_sample.errors} errors at {facts.percent} %")


def a_text(facts: GateFacts) -> str:
    """What a gate must not return."""
    return "fine"


def test_a_gate_of_ones_own_gives_its_verdict() -> None:
    gate = Gate(function=f"{__name__}:few_errors")
    assert ask_own_gate("router", gate, FACTS) == Verdict(outcome=FAIL, reason="7 errors at 10 %")


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        ("no.such.module:gate", "No module named 'no'"),
        (f"{__name__}:missing", "has no attribute 'missing'"),
        (f"{__name__}:a_text", "returned 'fine', not a Verdict"),
    ],
)
def test_a_gate_that_cannot_be_asked_is_named_with_its_file(function: str, problem: str) -> None:
    with pytest.raises(RoleInvalid, match=f"roles/router/role.toml: .*{problem}"):
        ask_own_gate("router", Gate(function=function), FACTS)
