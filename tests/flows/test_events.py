"""Events arrive at a real Prefect server with what they are about, and no run needs that server for them."""

from __future__ import annotations

import socket
import time
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.events import Event, tell_event
from tasks.model import Overview, Row, Version
from tasks.overview import tell_unhealthy
from tests.waiting import eventually

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

SOON = 60


def events(api: httpx.Client, event: Event, *resources: str) -> list[dict[str, Any]]:
    """All that the server has of that name about these resources, the newest first."""
    wanted = {"event": {"name": [event.title]}, "resource": {"id": resources}}
    answer = api.post("/events/filter", json={"filter": wanted})
    assert answer.is_success, answer.text
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


def test_an_event_arrives_with_its_facts_its_role_and_stack_and_its_run(api: httpx.Client) -> None:
    @flow(name="switches")
    def switches() -> str:
        version = Version(stack="events", role="router", id="v2")
        tell_event(Event.VERSION_SWITCHED, version, weights={"v2": 10, "v1": 90}, before={"v1": 100})
        return str(flow_run.id)

    run = switches()
    about = "tyrell.version.events.router.v2"
    (event,) = eventually("the event", lambda: events(api, Event.VERSION_SWITCHED, about), SOON)
    assert event["payload"] == {"weights": {"v2": 10, "v1": 90}, "before": {"v1": 100}}
    told = {each["prefect.resource.role"]: each["prefect.resource.id"] for each in event["related"]}
    assert (told["stack"], told["role"]) == ("tyrell.stack.events", "tyrell.role.events.router")
    assert told["flow-run"] == f"prefect.flow-run.{run}"


def test_outside_a_run_nothing_is_sent(api: httpx.Client) -> None:
    @flow(name="comes-up")
    def comes_up() -> None:
        tell_event(Event.STACK_UP, ("inside",), changes=())

    tell_event(Event.STACK_UP, ("outside",), changes=())
    comes_up()
    both = ("tyrell.stack.inside", "tyrell.stack.outside")
    arrived = eventually("the event", lambda: events(api, Event.STACK_UP, *both), SOON)
    assert [event["resource"]["prefect.resource.id"] for event in arrived] == ["tyrell.stack.inside"]


def test_a_server_that_never_answers_delays_no_change(api: httpx.Client) -> None:
    @flow(name="unheard")
    def unheard(url: str) -> float:
        with temporary_settings({PREFECT_API_URL: url}):
            start = time.monotonic()
            for size in range(100):
                tell_event(Event.VERSION_SCALED, ("events", "router", "v2"), before=size, after=size + 1)
            return time.monotonic() - start

    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert unheard(f"http://127.0.0.1:{silent.getsockname()[1]}/api") < 5


def row(version: str, healthy: int, traffic: int | None) -> Row:
    """One version of a role that is to have two members."""
    return Row(
        role="router",
        version=version,
        group=f"g-{version}",
        healthy=healthy,
        wanted=2,
        machines=2,
        desired=2,
        traffic=traffic,
        problems=() if healthy == 2 else ("i-1 is unhealthy",),
    )


def test_status_tells_of_a_version_that_is_at_work_and_not_healthy_and_of_no_other(api: httpx.Client) -> None:
    rows = (row("serves", 2, 90), row("sick", 1, 10), row("idle", 1, 0))

    @flow(name="looks")
    def looks() -> None:
        tell_unhealthy(Overview(stack="events", url="", internal_url="", rows=rows))

    looks()
    about = [f"tyrell.version.events.router.{version}" for version in ("serves", "sick", "idle")]
    (event,) = eventually("the event", lambda: events(api, Event.VERSION_UNHEALTHY, *about), SOON)
    assert event["resource"]["tyrell.version"] == "sick"
    assert event["payload"] == {"healthy": 1, "wanted": 2, "traffic": 10, "problems": ["i-1 is unhealthy"]}
