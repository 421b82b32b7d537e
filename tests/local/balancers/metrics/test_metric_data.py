"""GetMetricData, GetMetricStatistics and ListMetrics of a real load balancer, through boto3."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.local.balancers.cloud import Cloud, Listener, LoadBalancer, get
from tests.local.balancers.metrics.meter import Meter, at, metered, next_second

pytestmark = pytest.mark.cloud


def test_requests_are_in_the_metrics_as_soon_as_they_are_answered(meter: Meter) -> None:
    start = next_second()
    meter.ask(times=20)
    meter.ask(status=404, times=3)
    meter.ask(status=500, times=2)
    assert meter.since(start, "RequestCount") == 25
    assert meter.since(start, "HTTPCode_Target_2XX_Count") == 20
    assert meter.since(start, "HTTPCode_Target_4XX_Count") == 3
    assert meter.since(start, "HTTPCode_Target_5XX_Count") == 2
    assert meter.since(start, "HTTPCode_ELB_5XX_Count", balancer_only=True) == 0
    assert meter.since(start, "HTTPCode_Target_3XX_Count", "SampleCount") == 0


def test_each_second_has_a_data_point_of_its_own_and_a_quiet_one_has_none(meter: Meter) -> None:
    first = next_second()
    meter.ask(times=4)
    assert next_second() == first + 1
    third = next_second()
    meter.ask(times=2)
    assert meter.points("RequestCount", "Sum", first, third + 1, period=1) == {first: 4, third: 2}
    assert meter.points("RequestCount", "Sum", first, third, period=1) == {first: 4}
    assert meter.points("RequestCount", "Sum", first, third + 1, period=2) == {first: 4, third: 2}
    assert meter.points("RequestCount", "Sum", first + 1, third + 1, period=2) == {first + 1: 2}
    assert meter.points("RequestCount", "Sum", first, third + 1, period=5) == {first: 6}
    assert meter.points("RequestCount", "Sum", first, third + 0.5, period=1) == {first: 4, third: 2}


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time zone of this process, in which moto's server runs too."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_times_are_the_same_in_every_time_zone(in_new_york: None, meter: Meter) -> None:
    start = next_second()
    meter.ask()
    assert meter.points("RequestCount", "Sum", start, start + 5, period=5) == {start: 1}


def test_percentiles_are_those_of_all_requests_of_the_period(meter: Meter) -> None:
    start = next_second()
    meter.ask(times=40)
    meter.ask(after=0.1, times=8)
    meter.ask(after=0.4, times=2)
    assert meter.since(start, "TargetResponseTime", "p50") < 0.09
    assert 0.098 < meter.since(start, "TargetResponseTime", "p90") < 0.2
    assert 0.392 < meter.since(start, "TargetResponseTime", "p99.9") < 0.6
    assert meter.since(start, "TargetResponseTime", "Maximum") == meter.since(start, "TargetResponseTime", "p100")
    assert meter.since(start, "TargetResponseTime", "SampleCount") == 50
    assert 0.031 < meter.since(start, "TargetResponseTime", "Average") < 0.08


def test_several_queries_are_answered_in_their_order_with_labels_and_the_newest_data_first(meter: Meter) -> None:
    first = next_second()
    meter.ask()
    second = next_second()
    meter.ask()
    queries = [
        {"Id": name, "MetricStat": {"Metric": meter.metric(metric), "Period": 1, "Stat": stat}, **more}
        for name, metric, stat, more in (
            ("slowest", "TargetResponseTime", "p99", {"Label": "slowest"}),
            ("unknown", "NoSuchCount", "Sum", {}),
            ("hidden", "RequestCount", "Sum", {"ReturnData": False}),
            ("requests", "RequestCount", "Sum", {}),
        )
    ]
    window = {"StartTime": at(first), "EndTime": at(second + 1)}
    newest = meter.cloudwatch.get_metric_data(MetricDataQueries=queries, **window)["MetricDataResults"]
    assert [(each["Id"], each["Label"], len(each["Values"])) for each in newest] == [
        ("slowest", "slowest", 2),
        ("unknown", "NoSuchCount", 0),
        ("requests", "RequestCount", 2),
    ]
    assert newest[2]["Timestamps"] == [at(second), at(first)]
    oldest = meter.cloudwatch.get_metric_data(MetricDataQueries=queries, ScanBy="TimestampAscending", **window)
    assert oldest["MetricDataResults"][2]["Timestamps"] == [at(first), at(second)]


def test_get_metric_statistics_has_several_statistics_in_one_data_point(meter: Meter) -> None:
    start = next_second()
    meter.ask(after=0.05, times=4)
    answer = meter.cloudwatch.get_metric_statistics(
        **meter.metric("TargetResponseTime"),
        StartTime=at(start),
        EndTime=at(start + 60),
        Period=60,
        Statistics=["SampleCount", "Minimum"],
        ExtendedStatistics=["p95"],
    )
    [point] = answer["Datapoints"]
    assert (answer["Label"], point["Unit"], point["Timestamp"]) == ("TargetResponseTime", "Seconds", at(start))
    assert point["SampleCount"] == 4
    assert 0.049 < point["Minimum"] <= point["ExtendedStatistics"]["p95"] < 0.09


def test_a_load_balancer_has_the_requests_of_all_its_groups_and_the_answers_of_its_own(
    meter: Meter, cloud: Cloud, balancer: LoadBalancer, listener: Listener
) -> None:
    with metered(cloud, balancer, listener) as other:
        start = next_second()
        meter.ask(times=2)
        other.ask(times=3)
        no_rule = get(balancer, listener, "/nobody")
        assert no_rule is not None
        assert no_rule.status_code == 503
        assert meter.since(start, "RequestCount", balancer_only=True) == 5
        assert meter.since(start, "TargetResponseTime", "SampleCount", balancer_only=True) == 5
        assert meter.since(start, "HTTPCode_ELB_5XX_Count", balancer_only=True) == 1


def test_healthy_hosts_are_counted_also_while_nobody_asks(meter: Meter) -> None:
    start = next_second()
    next_second()
    end = next_second()
    sampled = meter.points("HealthyHostCount", "Minimum", start, end, period=1)
    assert len(sampled) >= end - start - 1, "more than one second without a sample"
    assert set(sampled.values()) == {1}
    assert meter.points("HealthyHostCount", "Average", start, end) == {start: 1}
    assert meter.points("UnHealthyHostCount", "Maximum", start, end) == {start: 0}
    assert meter.points("HealthyHostCount", "Average", start, end, balancer_only=True) == {}


def test_list_metrics_names_what_has_data(meter: Meter) -> None:
    meter.ask()
    [both] = meter.cloudwatch.list_metrics(
        Namespace="AWS/ApplicationELB",
        MetricName="RequestCount",
        Dimensions=[{"Name": "TargetGroup", "Value": meter.group.rpartition(":")[2]}],
    )["Metrics"]
    assert both == meter.metric("RequestCount")
    assert meter.metric("RequestCount", balancer_only=True) in meter.cloudwatch.list_metrics()["Metrics"]
    assert meter.cloudwatch.list_metrics(Namespace="AWS/ApplicationELB", MetricName="NoSuchCount")["Metrics"] == []


def test_metrics_of_other_namespaces_are_moto_s_as_before(meter: Meter) -> None:
    meter.cloudwatch.put_metric_data(Namespace="Own", MetricData=[{"MetricName": "Things", "Value": 7}])
    own = {"Metric": {"Namespace": "Own", "MetricName": "Things"}, "Period": 60, "Stat": "Sum"}
    requests = {"Metric": meter.metric("RequestCount"), "Period": 60, "Stat": "Sum"}
    answer = meter.cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "own", "MetricStat": own}, {"Id": "requests", "MetricStat": requests}],
        StartTime=at(time.time() - 30),
        EndTime=at(time.time() + 30),
    )
    assert [each["Id"] for each in answer["MetricDataResults"]] == ["own", "requests"]
    assert answer["MetricDataResults"][0]["Values"] == [7]
    assert "Own" in {each["Namespace"] for each in meter.cloudwatch.list_metrics()["Metrics"]}


def test_what_cannot_be_answered_is_refused_in_one_sentence(meter: Meter) -> None:
    with pytest.raises(ClientError, match=r"ValidationError.*Statistic 'tm99' is not supported"):
        meter.points("TargetResponseTime", "tm99", 0, 60)
    with pytest.raises(ClientError, match="StartTime must be less than the parameter EndTime"):
        meter.points("RequestCount", "Sum", 60, 60)
    wanted = {"Metric": meter.metric("RequestCount"), "Period": 60, "Stat": "Sum"}
    with pytest.raises(ClientError, match="Expressions over metrics of AWS/ApplicationELB are not supported"):
        meter.cloudwatch.get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": wanted}, {"Id": "twice", "Expression": "m * 2"}],
            StartTime=at(0),
            EndTime=at(60),
        )
