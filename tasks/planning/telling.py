"""What a plan says, in sentences for people. Pure."""

from __future__ import annotations

from datetime import timedelta

from tasks.planning.plan import Draft, Plan, RunRate


def duration(time: timedelta | None) -> str:
    """`0:01:30`; a dash for no time, `open` when nothing but its own end ends it."""
    if time is None:
        return "open"
    return str(time) if time else "–"


def twice_lines(draft: Draft) -> list[str]:
    """What runs twice, for how long, and what ends it."""
    return [
        f"{each.machines} machines of {each.role} run twice for {duration(each.least)} at least,"
        f" {duration(each.most)} at most, until {each.until}"
        for each in draft.twice
    ]


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
