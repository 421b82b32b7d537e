"""A plan as a markdown artifact of the run that carries it out."""

from __future__ import annotations

from prefect.artifacts import create_markdown_artifact

from tasks.artifact_keys import What, artifact_key
from tasks.planning.plan import Plan
from tasks.planning.telling import cost_line, duration, twice_lines
from tasks.steps import step


@step("the plan of {plan.flow} {plan.draft.of}", system="artifacts")
def publish_plan(plan: Plan) -> None:
    """Its steps, its facts and its costs."""
    key = artifact_key(What.PLAN, plan.draft.of)
    create_markdown_artifact(markdown_of(plan), key=key, description=f"What {plan.flow} was planned to do")


def markdown_of(plan: Plan) -> str:
    """All of it."""
    draft = plan.draft
    steps = [f"| {step.what} | {duration(step.least)} | {duration(step.most)} |" for step in draft.steps]
    changes = [f"- `{each.stack}` {each.logical_id} ({each.type}): {each.told}" for each in draft.changes]
    return "\n".join(
        [
            f"`{plan.flow}`, planned by {plan.by} at {plan.at:%F %T} UTC for {plan.cloud}.",
            "",
            "| step | at least | at most |",
            "| --- | --- | --- |",
            *steps,
            "",
            *changes,
            *(f"- {line}" for line in twice_lines(draft)),
            f"- {cost_line(plan)}",
            "",
            "It rests on:",
            "",
            *(f"- {what}: {how}" for what, how in draft.facts.items()),
        ]
    )
