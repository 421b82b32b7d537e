"""What waits for InfluxDB, and what is dropped."""

from link.metrics.outbox import BATCH, LIMIT, Outbox


def lines(first: int, beyond: int) -> list[str]:
    return [f"line {number}" for number in range(first, beyond)]


def test_lines_are_taken_oldest_first_and_those_put_back_come_first_again() -> None:
    outbox = Outbox()
    outbox.add(lines(0, BATCH + 2))
    taken = outbox.take()
    outbox.add(["new"])
    outbox.put_back(taken)
    assert outbox.take() == lines(0, BATCH)
    assert outbox.take() == [*lines(BATCH, BATCH + 2), "new"]
    assert outbox.take() == []


def test_when_too_many_wait_the_oldest_are_dropped_and_counted() -> None:
    outbox = Outbox()
    outbox.add(lines(0, LIMIT))
    taken = outbox.take()
    outbox.add(lines(LIMIT, LIMIT + 3))
    assert outbox.dropped == 0
    outbox.put_back(taken)
    assert (outbox.dropped, outbox.take()[0]) == (3, "line 3")
