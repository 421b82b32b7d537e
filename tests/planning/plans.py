"""Plans made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.planning.plan import Draft, Plan, Step
from tasks.planning.prices import costs_of

MINUTE = timedelta(minutes=1)
STEPS = (Step(what="start two", least=MINUTE, most=10 * MINUTE), Step(what="give two all traffic", most=MINUTE))
FACTS = {"the live version of router": "one (100 %)", "bad versions of router": "none"}


def draft(**changed: Any) -> Draft:
    """What an upgrade of a router would do."""
    return Draft.model_validate(
        {"of": "demo-router", "facts": FACTS, "steps": STEPS, "before": {"t3.small": 2}} | changed
    )


def plan(of: Draft | None = None) -> Plan:
    """A plan of that."""
    wanted = of or draft()
    return Plan(
        flow="upgrade",
        parameters={"stack": "demo"},
        by="ann@desk",
        at=datetime(2026, 1, 2, tzinfo=UTC),
        tyrell="0.1.0",
        cloud="account 1 at http://127.0.0.1:1",
        draft=wanted,
        costs=costs_of(wanted, "us-east-1"),
    )
