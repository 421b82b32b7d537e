"""The IAM policies of `deployments/policies`."""

from __future__ import annotations

from typing import Any

from tasks.flow_policies import FOLDER, flow_policies, policy_document


def policy_names() -> list[str]:
    """The policies there are."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def statements(policy: str) -> list[dict[str, Any]]:
    """What a policy consists of."""
    found: list[dict[str, Any]] = policy_document(policy)["Statement"]
    return found


def allowed(flow: str) -> set[str]:
    """The actions that a flow may ask for itself: what only CloudFormation may do for it does not count."""
    own = [each for name in flow_policies()[flow] for each in statements(name) if not _for_cloudformation(each)]
    return {action for each in own for action in each["Action"]}


def _for_cloudformation(statement: dict[str, Any]) -> bool:
    return "ForAnyValue:StringEquals" in statement.get("Condition", {})
