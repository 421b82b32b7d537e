"""CloudWatch's API: moto's, with the metrics of load balancers that are real."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from moto.cloudwatch.exceptions import InvalidParameterCombination, InvalidParameterValue, ValidationError
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from tyrell.local.balancers.metrics.catalogue import BALANCER, METRICS, NAMESPACE, TARGET_GROUP
from tyrell.local.balancers.metrics.collector import Collector
from tyrell.local.balancers.metrics.history import Series
from tyrell.local.balancers.metrics.listing import listed, matches
from tyrell.local.balancers.metrics.statistics import Counts, statistic

Fields = dict[str, Any]


class CloudWatchApi(CloudWatchResponse):
    """One call of the API; moto makes an instance per call, and answers for all namespaces but AWS/ApplicationELB."""

    collector: ClassVar[Collector]

    def get_metric_data(self) -> ActionResult:
        """The queries in their order. Metric math over metrics of load balancers is refused."""
        params = self._get_params()
        queries: list[Fields] = params.get("MetricDataQueries", [])
        ours = [query for query in queries if _metric_of(query).get("Namespace") == NAMESPACE]
        if not ours:
            return super().get_metric_data()
        if any("Expression" in query for query in queries):
            raise ValidationError(f"Expressions over metrics of {NAMESPACE} are not supported by the embedded cloud")
        start, end = _window(params, ValidationError)
        newest_first = params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        self.collector.collect()
        shown = [query for query in ours if query.get("ReturnData", True)]
        results = {query["Id"]: self._result(query, start, end, newest_first) for query in shown}
        params["MetricDataQueries"] = [query for query in queries if query not in ours]
        if params["MetricDataQueries"]:
            theirs = cast("Fields", super().get_metric_data().result)["MetricDataResults"]
            results |= {result["id"]: result for result in theirs}
        return ActionResult({"MetricDataResults": [results[each["Id"]] for each in queries if each["Id"] in results]})

    def get_metric_statistics(self) -> ActionResult:
        """One metric with several statistics, percentiles among them, oldest first."""
        params = self._get_params()
        if params.get("Namespace") != NAMESPACE:
            return super().get_metric_statistics()
        simple, extended = params.get("Statistics", []), params.get("ExtendedStatistics", [])
        if not simple and not extended:
            raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
        functions = {name: _function(name, InvalidParameterValue) for name in [*simple, *extended]}
        start, end = _window(params, InvalidParameterValue)
        self.collector.collect()
        points = self._points(params, start, end, _period(params, InvalidParameterValue), params.get("Unit"))
        datapoints = [
            {"Timestamp": _time(second), "Unit": METRICS[params["MetricName"]].unit}
            | {name: functions[name](counts) for name in simple}
            | ({"ExtendedStatistics": {name: functions[name](counts) for name in extended}} if extended else {})
            for second, counts in points.items()
        ]
        return ActionResult({"Label": params["MetricName"], "Datapoints": datapoints})

    def list_metrics(self) -> ActionResult:
        """moto's, and before them those of load balancers that have data."""
        params = self._get_params()
        self.collector.collect()
        found = [metric for metric in listed(self.collector.history.series()) if matches(metric, params)]
        if params.get("Namespace") == NAMESPACE:
            return ActionResult({"Metrics": found})
        theirs = cast("Fields", super().list_metrics().result)
        ours = [] if params.get("NextToken") else found
        return ActionResult({"Metrics": [*ours, *theirs["Metrics"]], "NextToken": theirs["NextToken"]})

    def _result(self, query: Fields, start: int, end: int, newest_first: bool) -> Fields:
        wanted = query["MetricStat"]
        function = _function(wanted["Stat"], ValidationError)
        points = self._points(wanted["Metric"], start, end, _period(wanted, ValidationError), wanted.get("Unit"))
        seconds = sorted(points, reverse=newest_first)
        return {
            "Id": query["Id"],
            "Label": query.get("Label") or wanted["Metric"]["MetricName"],
            "Timestamps": [_time(second) for second in seconds],
            "Values": [function(points[second]) for second in seconds],
            "StatusCode": "Complete",
        }

    def _points(self, metric: Fields, start: int, end: int, period: int, unit: str | None) -> dict[int, Counter[float]]:
        """Pooled samples by the start of their period; none when no such metric exists, as on AWS."""
        known = METRICS.get(metric["MetricName"])
        dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
        if known is None or unit not in (None, known.unit) or frozenset(dimensions) not in known.dimensions:
            return {}
        wanted = Series(metric["MetricName"], dimensions[BALANCER], dimensions.get(TARGET_GROUP))
        return self.collector.history.pooled(wanted, start, end, period)


def _metric_of(query: Fields) -> Fields:
    metric: Fields = query.get("MetricStat", {}).get("Metric", {})
    return metric


def _window(params: Fields, error: type[Exception]) -> tuple[int, int]:
    """First second and the one after the last. A data point is asked for when its stamp lies before EndTime."""
    start, end = (params[name].replace(tzinfo=UTC).timestamp() for name in ("StartTime", "EndTime"))  # moto: naive UTC
    if start >= end:
        raise error("The parameter StartTime must be less than the parameter EndTime.")
    return math.floor(start), math.ceil(end)


def _period(params: Fields, error: type[Exception]) -> int:
    period = int(params["Period"])
    if period < 1:
        raise error("The parameter Period must be a whole number of seconds greater than 0.")
    return period


def _function(name: str, error: type[Exception]) -> Callable[[Counts], float]:
    try:
        return statistic(name)
    except ValueError as problem:
        raise error(str(problem)) from problem


def _time(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
