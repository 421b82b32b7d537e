"""Changes of traffic and size are marked in the stack's metrics, and never held up or failed by that."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator

import pytest

from tasks.clients import forget, secretsmanager
from tasks.influxdb import InfluxAccess, query
from tasks.model import Version
from tasks.monitoring.annotations import TIMEOUT, annotate
from tasks.monitoring.users import writer_secret
from tasks.secrets import delete_secret, put_secret
from tests.tasks.own_aws import own_aws
from tests.waiting import free_port

pytestmark = pytest.mark.influxdb

STACK = "marked"
ROUTER = Version(stack=STACK, role="router", id="v2")


@pytest.fixture(autouse=True, scope="module")
def aws() -> Iterator[None]:
    """This process is led to an AWS with no secrets."""
    with own_aws():
        yield


def attach(access: InfluxAccess) -> None:
    """From now on the stack writes there; nothing that was looked at before is remembered."""
    password = access.password.get_secret_value()
    values = {"metrics": "m", "url": access.url, "username": access.username, "password": password}
    put_secret(writer_secret(STACK), values)
    forget()


def marked(admin: InfluxAccess) -> list[dict[str, object]]:
    """What is marked, without its times, oldest first."""
    statement = "SELECT text, percent, run_url, role, version, kind FROM \"deployments\" WHERE link_stack = 'marked'"
    found = query(admin, statement, "telegraf")
    return [dict(zip(series.columns[1:], row[1:], strict=True)) for series in found for row in series.rows]


def test_a_change_is_marked_with_what_it_did_and_one_that_did_nothing_is_not(
    writer: InfluxAccess, admin: InfluxAccess
) -> None:
    attach(writer)
    annotate(ROUTER, "switch", ('gave "router" v2\\ 10 %', "and more"), 10)
    annotate(ROUTER, "scale", ("scaled router v2 from 2 to 3",))
    annotate(ROUTER, "switch", (), 100)
    said = {"run_url": "", "role": "router", "version": "v2"}
    assert marked(admin) == [
        said | {"text": 'gave "router" v2\\ 10 %; and more', "percent": 10, "kind": "switch"},
        said | {"text": "scaled router v2 from 2 to 3", "percent": None, "kind": "scale"},
    ]


def test_a_stack_without_metrics_is_looked_up_once(caplog: pytest.LogCaptureFixture) -> None:
    delete_secret(writer_secret(STACK))
    forget()
    asked: list[str] = []
    secretsmanager().meta.events.register("before-call.secrets-manager", lambda model, **_: asked.append(model.name))
    for percent in (10, 100):
        annotate(ROUTER, "switch", ("gave router v2 traffic",), percent)
    assert asked == ["GetSecretValue"]
    assert caplog.records == []


def test_what_goes_wrong_is_a_warning_without_the_password(
    writer: InfluxAccess, reader: InfluxAccess, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = writer.model_copy(update={"url": f"http://127.31.0.2:{free_port('127.31.0.2')}"})
    for access, reason in ((nobody, "refused"), (reader, "denies it to user usage")):
        attach(access)
        with caplog.at_level(logging.WARNING):
            annotate(ROUTER, "rollback", ("gave router v1 100 %",), 100)
        said = caplog.messages[-1]
        assert said.startswith("gave router v1 100 % is not marked in the metrics: InfluxDB at http://127.31.0.2:")
        assert reason in said
        assert access.password.get_secret_value() not in caplog.text


def test_an_influxdb_that_does_not_answer_holds_a_change_up_for_little_time(
    writer: InfluxAccess, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.31.0.2", 0)) as silent:
        attach(writer.model_copy(update={"url": f"http://127.31.0.2:{silent.getsockname()[1]}"}))
        began = time.monotonic()
        annotate(ROUTER, "switch", ("gave router v2 100 %",), 100)
        assert time.monotonic() - began < TIMEOUT + 3
    assert "no answer within 2 s" in caplog.text
