"""What a plan says, in sentences for people. Pure."""

from __future__ import annotations

from datetime import timedelta

from tasks.planning.plan import NONE, Draft, Plan, RunRate, Twice


def duration(time: timedelta | None) -> str:
    """`0:01:30`; a dash for no time, `open` when nothing but its own end ends it."""
    if time is None:
        return "open"
    return str(time) if time else "–"


def twice_lines(draft: Draft) -> list[str]:
    """What runs twice, for how long, and what ends it."""
    return [
        f"{each.machines} more machines of {each.role} run for {_span(each)}, until {each.until}"
        for each in draft.twice
    ]


def _span(twice: Twice) -> str:
    return f"{duration(twice.least)} at least" + (f", {twice.most} at most" if twice.most else "")


def facts_line(draft: Draft) -> str:
    """What it rests on; what there is none of is not worth a word."""
    there = [f"{what}: {how}" for what, how in draft.facts.items() if how != NONE]
    return f"rests on  {'; '.join(there) or 'nothing being there'}"


def cost_line(plan: Plan) -> str:
    """The run rate before, during and after, and what is not in it."""
    costs = plan.costs
    rates = [_usd(rate) for rate in (costs.before, costs.during, costs.after)]
    if not any((plan.draft.before, plan.draft.during, plan.draft.after)):
        return "nothing that is paid for by the hour changes"
    unpriced = sorted({name for rate in (costs.before, costs.during, costs.after) for name in rate.unpriced})
    missing = f"; no price is known in {costs.region} of {', '.join(unpriced)}" if unpriced else ""
    return f"USD an hour: {' → '.join(rates)} (before, during, after; list prices of {costs.prices:%F}){missing}"


def _usd(rate: RunRate) -> str:
    return f"{rate.usd_per_hour:.3f}"
