"""A queue that nobody empties must not slow the cloud down."""

from __future__ import annotations

from moto import mock_aws
from moto.sqs.models import Queue, sqs_backends

from tests.waiting import eventually
from tyrell.local.queues import COUNTS, count_seldom


def test_a_message_more_is_not_a_count_more_but_is_counted_soon() -> None:
    before = {name: Queue.__dict__[name] for name in COUNTS}
    try:
        count_seldom()
        with mock_aws():
            queue = sqs_backends["123456789012"]["us-east-1"].create_queue("device-data")
            assert queue.approximate_number_of_messages == 0
            looks = CountingList()
            queue._messages = looks  # type: ignore[assignment]
            for _ in range(100):
                assert queue.attributes["ApproximateNumberOfMessages"] == 0
            assert looks.walked <= 2
            eventually("the count to be made again", lambda: queue.attributes and looks.walked > 2, seconds=5)
    finally:
        for name, count in before.items():
            setattr(Queue, name, count)


class CountingList(list[object]):
    """Knows how often somebody went through it."""

    walked = 0

    def __iter__(self):  # type: ignore[no-untyped-def]
        """Count it."""
        self.walked += 1
        return super().__iter__()
