"""How a data worker ends, and what it says, when something is refused or gone, or it is told to stop."""

from __future__ import annotations

import json
import signal

import pytest

from tests.link.aws_proxy import Call, Proxy, Refusal
from tests.link.data_queue import DataQueue, device_message

pytestmark = pytest.mark.cloud


def test_an_object_that_is_refused_is_named_and_its_messages_stay_until_it_is_not(
    data: DataQueue, proxy: Proxy
) -> None:
    def refuse(call: Call) -> None:
        if call.operation == "PUT" and call.key.startswith("tenant1/"):
            raise Refusal

    proxy.before = refuse
    data.send_numbered(10)
    ours, theirs = (json.loads(device_message(10, tenant, readings=1)) for tenant in ("tenant0", "tenant1"))
    data.send(json.dumps(ours + theirs))
    data.sent += 1
    status, summary, complained = data.run_worker(AWS_ENDPOINT_URL=proxy.url)
    assert (status, summary["refused"], summary["left"], data.waiting()) == (1, 1, 6, 6)
    assert complained.startswith("data-worker: 1 objects refused, 6 messages stay in the queue; the first is tenant1/")
    assert "AccessDenied" in complained
    data.finish()
    assert data.wrong() == {}


@pytest.mark.parametrize("gone", ["queue", "bucket"])
def test_a_worker_says_what_is_gone(data: DataQueue, gone: str) -> None:
    data.send_numbered(3)
    wrong = {"QUEUE_URL": f"{data.url}-not"} if gone == "queue" else {"BUCKET": f"{data.bucket}-not"}
    status, _, complained = data.run_worker(**wrong)
    assert (status, complained.count("\n")) == (1, 1)
    assert complained.startswith("data-worker: ")
    assert next(iter(wrong.values())) in complained
    assert data.waiting() == 3


def test_a_worker_told_to_stop_finishes_the_batch_in_hand(data: DataQueue, proxy: Proxy) -> None:
    data.send_numbered(40)

    def stop(call: Call) -> None:
        if call.operation == "ReceiveMessage":
            worker.send_signal(signal.SIGTERM)

    with data.worker(AWS_ENDPOINT_URL=proxy.url) as worker:
        proxy.before = stop
        said, complained = worker.communicate(timeout=30)
    assert (worker.returncode, complained, data.waiting()) == (0, "", 30)
    assert '"end": "told to stop"' in said
    assert sum(data.times_written().values()) == 20
