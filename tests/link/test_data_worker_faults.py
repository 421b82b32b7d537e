"""Data workers that are killed or stopped at a chosen call, or at any: every message ends in exactly one object."""

from __future__ import annotations

import os
import signal
import subprocess
import threading

import pytest

from tests.link.aws_proxy import Call, Lost, Proxy
from tests.link.aws_server import Aws
from tests.link.data_queue import SMALL, VISIBILITY, DataQueue
from tests.waiting import eventually

pytestmark = pytest.mark.cloud


def test_a_worker_killed_at_any_call_loses_nothing_and_doubles_nothing(data: DataQueue, proxy: Proxy) -> None:
    """Each is killed when AWS has done the call and before it hears of it; the next also meets what that one left."""
    survived = False
    for number in range(1, 40):
        data.send_numbered(6)
        with data.worker(AWS_ENDPOINT_URL=proxy.url) as worker:
            last = len(proxy.calls) + number
            proxy.after = lambda call, last=last, worker=worker: kill_at(call, last, worker)  # type: ignore[misc]
            worker.communicate(timeout=60)
            survived = worker.returncode == 0
        if survived:
            break
        assert worker.returncode == -signal.SIGKILL
    assert survived, "the last worker should have run to its end"
    data.finish()
    assert data.wrong() == {}


def kill_at(call: Call, number: int, worker: subprocess.Popen[str]) -> None:
    """Kill the worker when it has made this call."""
    if call.number == number:
        worker.kill()
        worker.wait()
        raise Lost


PAUSES = {
    "before it claims": lambda call: call.operation == "PUT" and call.key.endswith("/00000001"),
    "before it writes": lambda call: call.operation == "PUT" and call.key.startswith("tenant"),
    "before it verifies": lambda call: call.operation == "HEAD" and call.key.startswith("tenant"),
    "before it deletes": lambda call: call.operation == "DeleteMessageBatch",
}


@pytest.mark.parametrize("when", PAUSES)
def test_a_worker_stopped_for_longer_than_its_messages_are_hidden_doubles_nothing(
    data: DataQueue, proxy: Proxy, when: str
) -> None:
    """Its call is under way all the time, and arrives after another worker has done everything."""
    data.send_numbered(12)
    stopped, others_are_done = threading.Event(), threading.Event()

    def stop(call: Call) -> None:
        if PAUSES[when](call) and not stopped.is_set():
            os.kill(worker.pid, signal.SIGSTOP)
            stopped.set()
            others_are_done.wait(60)

    with data.worker(AWS_ENDPOINT_URL=proxy.url) as worker:
        proxy.before = stop
        assert stopped.wait(30)
        data.finish()
        assert data.wrong() == {}
        others_are_done.set()
        os.kill(worker.pid, signal.SIGCONT)
        _, complained = worker.communicate(timeout=60)
        assert (worker.returncode, complained) == (0, "")
    assert (data.wrong(), data.waiting()) == ({}, 0)


def test_a_claim_is_there_for_as_long_as_another_worker_may_look_for_it(
    data_aws: Aws, data: DataQueue, proxy: Proxy
) -> None:
    """A slow worker deletes messages that another one has received meanwhile, and has not looked for yet."""
    data.send_numbered(12)
    wrote, received, slow_is_done = (threading.Event() for _ in range(3))

    def wait_before_deleting(call: Call) -> None:
        if call.operation == "DeleteMessageBatch":
            wrote.set()
            received.wait(60)

    def wait_before_looking(call: Call) -> None:
        lists = call.operation == "GET" and not call.key
        if lists and any(one.operation == "ReceiveMessage" for one in second.calls):
            received.set()
            slow_is_done.wait(60)

    proxy.before = wait_before_deleting
    with Proxy.to(data_aws.url) as second, data.worker(AWS_ENDPOINT_URL=proxy.url) as slow:
        assert wrote.wait(30)
        eventually("the messages to be seen again", lambda: data.waiting() - data.hidden() == 12)
        second.before = wait_before_looking
        with data.worker(AWS_ENDPOINT_URL=second.url, **SMALL) as other:
            _, complained = slow.communicate(timeout=60)
            assert (slow.returncode, complained, received.is_set()) == (0, "", True)
            slow_is_done.set()
            other.communicate(timeout=60)
    data.finish()
    assert data.wrong() == {}


def test_an_answer_that_gets_lost_is_asked_for_again(data: DataQueue, proxy: Proxy) -> None:
    """Every first answer of each kind is lost: what was done is then done twice, and must not show."""
    lost: set[tuple[str, str]] = set()

    def lose(call: Call) -> None:
        kind = (call.operation, call.key)
        if call.operation != "ReceiveMessage" and kind not in lost:
            lost.add(kind)
            raise Lost

    proxy.after = lose
    data.send_numbered(6)
    status, summary, complained = data.run_worker(AWS_ENDPOINT_URL=proxy.url)
    assert (status, complained, summary["fenced"], summary["deleted"]) == (0, "", 0, 6)
    assert len(lost) >= 8
    assert (data.wrong(), data.waiting()) == ({}, 0)


@pytest.mark.long
def test_workers_killed_at_random_moments_lose_nothing_and_double_nothing(data: DataQueue) -> None:
    data.send_numbered(1500, tenants=5)
    for _ in range(6):
        with data.worker(BATCH_MESSAGES="100") as one, data.worker(BATCH_MESSAGES="100") as other:
            before = len(data.keys())
            eventually("an object", lambda before=before: len(data.keys()) > before, seconds=VISIBILITY * 5)  # type: ignore[misc]
            one.kill()
            other.kill()
    data.finish()
    assert data.wrong() == {}
