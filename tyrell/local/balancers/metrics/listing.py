"""Series as ListMetrics shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tyrell.local.balancers.metrics.catalogue import BALANCER, METRICS, NAMESPACE, TARGET_GROUP
from tyrell.local.balancers.metrics.history import Series

Fields = dict[str, Any]


def listed(series: Iterable[Series]) -> list[Fields]:
    """Every metric once for each set of dimensions it can be asked for by."""
    named = {
        (each.metric, tuple(pair for pair in pairs if pair[0] in names))
        for each in series
        for pairs in [((BALANCER, each.balancer), (TARGET_GROUP, each.target_group))]
        for names in METRICS[each.metric].dimensions
    }
    return [
        {
            "Namespace": NAMESPACE,
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
        }
        for metric, dimensions in sorted(named)
    ]


def matches(metric: Fields, asked: Fields) -> bool:
    """Whether a listed metric is one that the parameters of ListMetrics ask for."""
    own = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
    return (
        asked.get("Namespace") in (None, NAMESPACE)
        and asked.get("MetricName") in (None, metric["MetricName"])
        and all(
            each["Name"] in own and each.get("Value") in (None, own[each["Name"]])
            for each in asked.get("Dimensions", [])
        )
    )
