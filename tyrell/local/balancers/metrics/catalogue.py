"""The metrics of namespace AWS/ApplicationELB that exist here: names, units and dimensions as on AWS.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

from typing import NamedTuple

NAMESPACE = "AWS/ApplicationELB"

BALANCER = "LoadBalancer"
TARGET_GROUP = "TargetGroup"


class Metric(NamedTuple):
    """A metric: its unit, and the sets of dimensions it can be asked for by."""

    unit: str
    dimensions: tuple[frozenset[str], ...]


_PER_BALANCER = frozenset({BALANCER})
_PER_GROUP = frozenset({BALANCER, TARGET_GROUP})
_OF_TARGETS = (_PER_GROUP, _PER_BALANCER)

METRICS = {
    "RequestCount": Metric("Count", _OF_TARGETS),
    "HTTPCode_Target_2XX_Count": Metric("Count", _OF_TARGETS),
    "HTTPCode_Target_3XX_Count": Metric("Count", _OF_TARGETS),
    "HTTPCode_Target_4XX_Count": Metric("Count", _OF_TARGETS),
    "HTTPCode_Target_5XX_Count": Metric("Count", _OF_TARGETS),
    "TargetConnectionErrorCount": Metric("Count", _OF_TARGETS),
    "TargetResponseTime": Metric("Seconds", _OF_TARGETS),
    "HealthyHostCount": Metric("Count", (_PER_GROUP,)),
    "UnHealthyHostCount": Metric("Count", (_PER_GROUP,)),
    "HTTPCode_ELB_3XX_Count": Metric("Count", (_PER_BALANCER,)),
    "HTTPCode_ELB_4XX_Count": Metric("Count", (_PER_BALANCER,)),
    "HTTPCode_ELB_5XX_Count": Metric("Count", (_PER_BALANCER,)),
}


def dimension_value(arn: str) -> str:
    """How a dimension names a load balancer ("app/name/id") or a target group ("targetgroup/name/id")."""
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")
