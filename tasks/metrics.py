"""CloudWatch: what became of the requests that a load balancer sent to a version.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tasks.clients import cloudwatch, elbv2
from tasks.gates import Sample
from tasks.model import Group

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

RESOLUTION = "TYRELL_METRICS_PERIOD"
"""Environment variable: seconds between two figures of a load balancer; 60 on AWS, which publishes them per minute."""

COUNTS = ("RequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count", "HTTPCode_Target_4XX_Count")
TIME = "TargetResponseTime"


def period() -> timedelta:
    """How fine the figures are here."""
    return timedelta(seconds=int(os.environ.get(RESOLUTION, "60")))


def next_period(moment: datetime) -> datetime:
    """The first moment from `moment` on at which a figure begins."""
    length = period()
    passed = (moment - datetime.min.replace(tzinfo=UTC)) % length
    return moment + (length - passed if passed else timedelta())


def find_sample(group: Group, since: datetime, until: datetime) -> Sample:
    """The group's requests that ended between two moments, as far as whole periods fit in; empty when none does.

    A request that its target did not answer, or answered with 5xx, is an error.
    """
    start, end = next_period(since), next_period(until - period() + timedelta(microseconds=1))
    if end <= start:
        return Sample()
    dimensions = _dimensions(group)
    queries = [_query(name, dimensions, end - start) for name in (*COUNTS, TIME)]
    results = cloudwatch().get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end)["MetricDataResults"]
    found = {result["Id"]: result["Values"] for result in results}
    requests, *answered = (round(sum(found[_id(name)])) for name in COUNTS)
    times = found[_id(TIME)]
    return Sample(requests=requests, errors=max(0, requests - sum(answered)), p95=max(times) if times else None)


def _id(name: str) -> str:
    return name.lower()


def _query(name: str, dimensions: dict[str, str], length: timedelta) -> MetricDataQueryTypeDef:
    return {
        "Id": _id(name),
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/ApplicationELB",
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            },
            "Period": int(length.total_seconds()),
            "Stat": "p95" if name == TIME else "Sum",
        },
    }


def _dimensions(group: Group) -> dict[str, str]:
    """A target group and its balancer as the metrics name them: by the ends of their ARNs."""
    arn = group.target_groups[0]
    described = elbv2().describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    balancers = described.get("LoadBalancerArns") or [":loadbalancer/none"]
    return {"TargetGroup": arn.split(":")[-1], "LoadBalancer": balancers[0].split(":loadbalancer/")[-1]}
