"""What statsd lines add up to, as Telegraf adds them up; and how points are written."""

from __future__ import annotations

import pytest

from link.metrics.points import Point
from link.metrics.sums import PERCENTILE_OF, NoMetric, Sums

TIMES = [320, 200, 100, 100, 100, 100, 100, 100, 100, 100]


def added(*lines: str) -> list[tuple[str, dict[str, str], dict[str, int | float]]]:
    """Name, tags and fields of what these lines add up to."""
    sums = Sums()
    for line in lines:
        sums.add(line)
    return [(point.name, dict(point.tags), dict(point.fields)) for point in sums.take()]


@pytest.mark.parametrize(
    ("lines", "kind", "value"),
    [
        (["a.b:1|c", "a.b:101|c", "a.b:1|c|@0.1"], "counter", 112),
        (["a.b:1|c:101|c:1|c|@0.1"], "counter", 112),
        (["a.b:-3|c", "a.b:2.9|c"], "counter", -1),
        (["a.b:32|g", "a.b:7|g"], "gauge", 7.0),
        (["a.b:32|g:+10|g:-12|g"], "gauge", 30.0),
        (["a.b:+2.5|g"], "gauge", 2.5),
    ],
)
def test_counters_are_summed_and_gauges_are_what_was_said_last(lines: list[str], kind: str, value: float) -> None:
    ((name, tags, fields),) = added(*lines)
    assert (name, tags, fields) == ("a_b", {"metric_type": kind}, {"value": value})
    assert type(fields["value"]) is type(value)


def test_timings_are_summed_up_in_telegrafs_fields() -> None:
    ((name, tags, fields),) = added(*(f"http.req,tenant=acme:{value}|ms" for value in TIMES))
    assert (name, tags) == ("http_req", {"tenant": "acme", "metric_type": "timing"})
    assert fields == {
        "count": 10,
        "lower": 100.0,
        "upper": 320.0,
        "sum": 1320.0,
        "mean": 132.0,
        "stddev": pytest.approx(69.3974, abs=1e-4),
        "90_percentile": 320.0,
    }


def test_a_sampled_timing_counts_as_often_as_it_was_not_sampled() -> None:
    ((_, _, fields),) = added("load:200|ms|@0.1", "load:320|ms")
    assert (fields["count"], fields["sum"], fields["90_percentile"]) == (11, 2320.0, 200.0)


def test_of_very_many_timings_the_percentile_is_that_of_the_last() -> None:
    early, late = ["load:9|ms"] * 50, [f"load:{1 + number % 10}|ms" for number in range(PERCENTILE_OF)]
    ((_, _, fields),) = added(*early, *late)
    assert (fields["count"], fields["90_percentile"]) == (PERCENTILE_OF + 50, 10.0)


def test_a_series_is_the_same_however_its_tags_are_ordered_and_another_with_other_tags_or_kind() -> None:
    told = added("n,a=1,b=2:1|c", "n,b=2,a=1:1|c", "n,a=2,b=2:1|c", "n,a=1,b=2,c=:1|c", "n,a=1,b=2:1|g")
    assert told == [
        ("n", {"a": "1", "b": "2", "metric_type": "counter"}, {"value": 3}),
        ("n", {"a": "2", "b": "2", "metric_type": "counter"}, {"value": 1}),
        ("n", {"a": "1", "b": "2", "metric_type": "gauge"}, {"value": 1.0}),
    ]


def test_every_interval_begins_anew() -> None:
    sums = Sums()
    sums.add("a:1|c:1|g:1|ms")
    assert len(sums.take()) == 3
    assert sums.take() == []


@pytest.mark.parametrize(
    "line",
    ["a", "a:", "a:1", "a:x|c", ":1|c", "a:1|x", "a:nan|g", "a:inf|ms", "a:1e300|c", "a:1|c|@0", "a:1|c|@2", "a:|g"],
)
def test_what_is_no_metric_is_refused_and_leaves_nothing(line: str) -> None:
    sums = Sums()
    with pytest.raises(NoMetric):
        sums.add(line)
    assert sums.take() == []


def test_a_point_is_one_line_whatever_its_tags_hold() -> None:
    point = Point("na me", {"a=b": "c,d\n", "e": "back\\", "f": "", "host": "own"}, {"i": 3, "f": 0.5})
    line = point.line({"host": "other", "link_stack": "lab"}, 7)
    assert line == r"na_me,host=own,link_stack=lab,a\=b=c\,d_,e=back i=3i,f=0.5 7"
