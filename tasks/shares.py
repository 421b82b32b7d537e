"""Weights of a load balancer's rule as shares of the traffic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tasks.model import Group


def shares_of(weights: Mapping[str, int], groups: Iterable[Group]) -> dict[str, int]:
    """Percent of the traffic by version id, from `weights` by target group; empty when nobody has any."""
    total = sum(weights.values())
    versions = {arn: group.version.id for group in groups for arn in group.target_groups}
    return {versions.get(arn, "deleted"): round(100 * weight / total) for arn, weight in weights.items() if weight}
