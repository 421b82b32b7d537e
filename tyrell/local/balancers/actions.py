"""Actions and conditions of rules in the API's shape: read into the configuration, or refused when not supported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Any

from tyrell.local.balancers.config import Action, Condition, FixedResponse, Forward, QueryPair, Redirect

Data = Mapping[str, Any]

_CONFIG_OF_FIELD = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
}


def read_action(action: Data) -> Action:
    """An action such as CreateRule takes. ValueError when it is of a kind that is not supported."""
    match action["Type"]:
        case "forward":
            return Forward(weights=weights_of(action))
        case "fixed-response":
            fixed = action["FixedResponseConfig"]
            return FixedResponse(
                status=int(fixed["StatusCode"]),
                content_type=fixed.get("ContentType") or "text/plain",
                body=fixed.get("MessageBody") or "",
            )
        case "redirect":
            wanted = action["RedirectConfig"]
            given = {key.lower(): wanted[key] for key in ("Protocol", "Host", "Port", "Path", "Query") if key in wanted}
            return Redirect(status=int(wanted["StatusCode"].removeprefix("HTTP_")), **given)
        case other:
            raise ValueError(f"action type {other!r} is not supported by the embedded cloud")


def read_condition(condition: Data) -> Condition:
    """A condition such as CreateRule takes, in its old (`Values`) or new (`...Config`) shape."""
    field = condition["Field"]
    if field == "query-string":
        pairs = [
            QueryPair(key=pair.get("Key"), value=pair["Value"]) for pair in condition["QueryStringConfig"]["Values"]
        ]
        return Condition(field=field, pairs=tuple(pairs))
    config = condition.get(_CONFIG_OF_FIELD[field]) or condition
    return Condition(field=field, values=tuple(config["Values"]), header=config.get("HttpHeaderName", ""))


def target_groups_of(actions: Iterable[Any]) -> set[str]:
    """The ARNs of the target groups that moto's `actions` forward to."""
    return {arn for action in list(actions) if action.type == "forward" for arn in weights_of(action.data)}


def unsupported(actions: Iterable[Data]) -> str | None:
    """Why balancers of the embedded cloud cannot do one of these actions; None when they can do all."""
    for action in actions:
        if action["Type"] not in ("forward", "fixed-response", "redirect"):
            return f"Action type '{action['Type']}' is not supported by the embedded cloud"
        if action.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {}).get("Enabled"):
            return "TargetGroupStickinessConfig is not supported by the embedded cloud"
    return None


def malformed(conditions: Iterable[Data]) -> str | None:
    """Why one of these conditions, which moto would take, can never be met; None when all are well formed."""
    for condition in conditions:
        for value in condition.get("SourceIpConfig", {}).get("Values", ()):
            try:
                ip_network(value, strict=False)
            except ValueError:
                return f"Condition source-ip: '{value}' is not a CIDR block"
    return None


def weights_of(action: Data) -> dict[str, int]:
    """ARN to weight; a group without a weight counts 1, as in TargetGroupTuple of the API reference."""
    groups = action.get("ForwardConfig", {}).get("TargetGroups")
    if not groups:
        return {action["TargetGroupArn"]: 1}
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}
