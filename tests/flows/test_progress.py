"""A run shows in one artifact why it waits, and an upgrade as a picture; without its server it goes on all the same."""

from __future__ import annotations

import base64
import logging
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.errors import Expired
from tasks.model import Patience
from tasks.progress import LEAVING_SECONDS, telling_why
from tasks.timeline import Moment, Share, draw, publish_timeline
from tasks.waits import NotYet, wait_until
from tests.waiting import eventually

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

OFTEN = Patience(timeout=timedelta(seconds=20), every=timedelta(seconds=0.05))
IMPATIENT = Patience(timeout=timedelta(seconds=0.2), every=timedelta(seconds=0.05))


def artifacts(api: httpx.Client, run: str) -> list[dict[str, Any]]:
    """All artifacts of a flow run."""
    answer = api.post("/artifacts/filter", json={"flow_runs": {"id": {"any_": [run]}}})
    assert answer.is_success, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def wait_for_it(reason: str, looks: int) -> None:
    """A wait that ends at its look number `looks`."""
    seen = iter([NotYet(reason)] * (looks - 1) + [None])
    wait_until("router 2 to be healthy", lambda: next(seen), OFTEN)


def test_one_artifact_names_the_reason_while_it_waits_and_is_settled_in_the_end(api: httpx.Client) -> None:
    @flow(name="waits")
    def waits() -> tuple[str, list[dict[str, Any]]]:
        run = str(flow_run.id)

        def shown_by_the_server() -> list[dict[str, Any]] | NotYet:
            now = artifacts(api, run)
            return now if now and "i-0a | i-0b: 503" in now[0]["data"].replace("\\", "") else NotYet("i-0a | i-0b: 503")

        with telling_why("demo-waits", "What this run waits for"):
            return run, wait_until("router 2 to be healthy", shown_by_the_server, OFTEN)

    run, (while_waiting,) = waits()
    (settled,) = artifacts(api, run)
    assert while_waiting["id"] == settled["id"]
    assert (settled["key"], settled["type"]) == ("demo-waits", "markdown")
    assert settled["description"] == "What this run waits for"
    assert r"i-0a \| i-0b: 503 |" in while_waiting["data"], "a bar in a reason does not end its cell"
    assert "waiting for" in while_waiting["data"]
    assert settled["data"].startswith("Nothing is being waited for.")
    assert "503" not in settled["data"]


def test_a_wait_that_failed_is_shown_with_its_error(api: httpx.Client) -> None:
    @flow(name="gives-up")
    def gives_up() -> str:
        with telling_why("demo-waits", "What this run waits for"), pytest.raises(Expired):
            wait_until("router 2 to be healthy", lambda: NotYet("1 of 2 machines"), IMPATIENT)
        return str(flow_run.id)

    (artifact,) = artifacts(api, gives_up())
    assert "gave up waiting for router 2 to be healthy after 0.2 s; last seen: 1 of 2 machines" in artifact["data"]


def test_a_second_telling_of_the_run_goes_on_with_the_same_artifact(api: httpx.Client) -> None:
    @flow(name="two-parts")
    def two_parts() -> str:
        for reason in ("first", "second"):
            with telling_why("demo-waits", "What this run waits for"):
                wait_for_it(reason, looks=2)
        return str(flow_run.id)

    assert len(artifacts(api, two_parts())) == 1


def test_a_run_that_never_waits_has_no_artifact(api: httpx.Client) -> None:
    @flow(name="never-waits")
    def never_waits() -> str:
        with telling_why("demo-waits", "What this run waits for"):
            wait_for_it("not used", looks=1)
        return str(flow_run.id)

    assert artifacts(api, never_waits()) == []


def test_a_server_that_never_answers_delays_no_wait_and_fails_no_run(api: httpx.Client) -> None:
    @flow(name="unheard")
    def unheard(url: str) -> tuple[float, float]:
        with temporary_settings({PREFECT_API_URL: url}):
            start = time.monotonic()
            with telling_why("demo-waits", "What this run waits for"):
                wait_for_it("no answer", looks=30)
                waited = time.monotonic() - start
            return waited, time.monotonic() - start

    with socket.create_server(("127.0.0.1", 0)) as silent:
        waited, whole = unheard(f"http://127.0.0.1:{silent.getsockname()[1]}/api")
    assert waited < 10
    assert whole - waited < LEAVING_SECONDS + 2


def test_a_server_that_is_gone_is_logged_once(api: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    @flow(name="alone")
    def alone() -> None:
        gone = temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"})
        with gone, telling_why("lonely-waits", "What this run waits for"):
            wait_for_it("first", looks=30)
            wait_for_it("second", looks=2)

    alone()
    complaints = [record for record in caplog.records if "artifact lonely-waits" in record.message]
    assert [record.levelno for record in complaints] == [logging.WARNING]
    assert complaints[0].message.startswith("cannot show what is waited for")


def test_outside_a_run_it_only_lets_the_waits_happen(caplog: pytest.LogCaptureFixture) -> None:
    with telling_why("demo-waits", "What this run waits for"):
        wait_for_it("nobody reads this", looks=2)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_timeline_is_an_image_of_the_run(api: httpx.Client) -> None:
    moments = (Moment(at=datetime.now(UTC), step="switch", versions={"b2": Share(healthy=1, desired=1, traffic=100)}),)

    @flow(name="upgraded")
    def upgraded() -> str:
        publish_timeline("demo-router-timeline", "Upgrade of router", moments)
        return str(flow_run.id)

    run = upgraded()
    (artifact,) = eventually("the artifact", lambda: artifacts(api, run))
    kind, _, image = artifact["data"].partition(",")
    assert (artifact["type"], kind) == ("image", "data:image/svg+xml;base64")
    assert base64.b64decode(image).decode() == draw("Upgrade of router", moments)
