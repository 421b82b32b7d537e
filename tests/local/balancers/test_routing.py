"""Rules: which one takes a request, which target group it gets, where a redirect leads."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from multidict import CIMultiDict

from tyrell.local.balancers.conditions import Facts, compile_condition
from tyrell.local.balancers.config import Condition, FixedResponse, Forward, Listener, QueryPair, Redirect, Rule
from tyrell.local.balancers.routing import Routes, Spread, redirect_location

REQUEST = Facts(
    method="GET",
    path="/devices/42/state.json",
    query="v=1&Colour=Light%20Blue",
    host="API.example.com:8080",
    headers=CIMultiDict({"User-Agent": "curl/8.1", "X-Tenant": "acme"}),
    source="127.35.0.9",
)

CONDITIONS = [
    (Condition(field="path-pattern", values=("/devices/*",)), True),
    (Condition(field="path-pattern", values=("/devices/?2/*",)), True),
    (Condition(field="path-pattern", values=("/devices/?/*",)), False),
    (Condition(field="path-pattern", values=("/devices/42/state?json",)), True),
    (Condition(field="path-pattern", values=("/devices",)), False),
    (Condition(field="path-pattern", values=("/Devices/*",)), False),
    (Condition(field="path-pattern", values=("/other", "*.json")), True),
    (Condition(field="path-pattern", values=("/devices/42/state[.]json",)), False),
    (Condition(field="host-header", values=("api.example.com",)), True),
    (Condition(field="host-header", values=("*.EXAMPLE.com",)), True),
    (Condition(field="host-header", values=("example.com",)), False),
    (Condition(field="http-header", header="user-agent", values=("CURL/*",)), True),
    (Condition(field="http-header", header="x-tenant", values=("other", "acme")), True),
    (Condition(field="http-header", header="x-missing", values=("*",)), False),
    (Condition(field="http-request-method", values=("POST", "GET")), True),
    (Condition(field="http-request-method", values=("get",)), False),
    (Condition(field="query-string", pairs=(QueryPair(key="V", value="1"),)), True),
    (Condition(field="query-string", pairs=(QueryPair(value="light*"),)), True),
    (Condition(field="query-string", pairs=(QueryPair(key="v", value="2"), QueryPair(key="v", value="3"))), False),
    (Condition(field="query-string", pairs=(QueryPair(key="colour", value=r"light\*"),)), False),
    (Condition(field="source-ip", values=("10.0.0.0/8", "127.35.0.0/24")), True),
    (Condition(field="source-ip", values=("127.36.0.0/16",)), False),
]


@pytest.mark.parametrize(("condition", "holds"), CONDITIONS, ids=[str(c.values or c.pairs) for c, _ in CONDITIONS])
def test_a_condition_holds_as_the_user_guide_says(condition: Condition, holds: bool) -> None:
    assert compile_condition(condition)(REQUEST) is holds


def rule(arn: str, *conditions: Condition) -> Rule:
    return Rule(arn=arn, conditions=conditions, action=FixedResponse(status=200))


def test_the_first_rule_whose_conditions_all_hold_takes_the_request() -> None:
    devices = Condition(field="path-pattern", values=("/devices/*",))
    post = Condition(field="http-request-method", values=("POST",))
    listener = Listener(port=80, rules=(rule("both", devices, post), rule("one", devices), rule("default")))
    routes = Routes(listener)

    assert routes.find(replace(REQUEST, method="POST")).rule.arn == "both"
    assert routes.find(REQUEST).rule.arn == "one"
    assert routes.find(replace(REQUEST, path="/")).rule.arn == "default"


@pytest.mark.parametrize(
    "weights", [{"a": 99, "b": 1}, {"a": 90, "b": 10}, {"a": 50, "b": 50}, {"a": 999, "b": 500, "c": 1}]
)
def test_every_run_of_as_many_requests_as_the_sum_of_weights_gives_each_group_exactly_its_weight(
    weights: dict[str, int],
) -> None:
    spread = Spread(weights)
    for _ in range(3):
        assert Counter(spread.choose() for _ in range(sum(weights.values()))) == weights


def test_a_group_of_weight_zero_gets_nothing_and_no_weight_at_all_chooses_nobody() -> None:
    assert {Spread({"a": 1, "b": 0}).choose() for _ in range(9)} == {"a"}
    assert Spread({"a": 0, "b": 0}).choose() is None


def test_a_rule_that_stays_goes_on_with_its_spread_when_another_one_changes() -> None:
    def listener(status: int) -> Listener:
        weighted = Rule(arn="weighted", action=Forward(weights={"a": 99, "b": 1}))
        other = Rule(arn="other", action=FixedResponse(status=status))
        return Listener(port=80, rules=(weighted, other))

    routes = Routes(listener(200))
    chosen: list[str | None] = []
    for change in range(100):
        routes = Routes(listener(200 + change), routes)
        chosen.append(routes.find(REQUEST).spread.choose())
    assert Counter(chosen) == {"a": 99, "b": 1}


@pytest.mark.parametrize(
    ("redirect", "location"),
    [
        (Redirect(status=301), "http://API.example.com:8080/devices/42/state.json?v=1&Colour=Light%20Blue"),
        (
            Redirect(status=301, protocol="HTTPS", port="443"),
            "https://API.example.com:443/devices/42/state.json?v=1&Colour=Light%20Blue",
        ),
        (
            Redirect(status=302, host="www.#{host}", path="/new/#{path}", query=""),
            "http://www.API.example.com:8080/new/devices/42/state.json",
        ),
    ],
)
def test_a_redirect_keeps_what_it_does_not_replace(redirect: Redirect, location: str) -> None:
    assert redirect_location(redirect, REQUEST, port=8080) == location
