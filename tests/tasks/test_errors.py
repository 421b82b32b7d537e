"""Errors travel between processes by pickle, and each says one sentence."""

from __future__ import annotations

import pickle

import pytest

from tasks import errors
from tasks.errors import (
    CalendarHolds,
    CalendarInvalid,
    Conflict,
    DataLost,
    Disproved,
    EtcdUnreachable,
    Expired,
    InfluxDenied,
    InfluxRefused,
    InfluxUnreachable,
    KeeperFailed,
    LeftBehind,
    LockHeld,
    LockLost,
    NotFound,
    NotReady,
    PlanOutdated,
    QueueGone,
    QueueTooOld,
    Refused,
    RoleInvalid,
    RolledBack,
    RunCancelled,
    SizeOutOfBounds,
    StackFailed,
    Stopped,
    TyrellError,
    Unfinished,
    WouldLose,
)
from tasks.merged import Fate, Merge, Merged, Outcome, Tally


def merged() -> Merged:
    """A merge that left one object of two."""
    tally = Tally(Merge(old="before", new="after"))
    tally.add(Outcome(key="a", size=1, fate=Fate.COPIED))
    tally.add(Outcome(key="b\n", size=1, fate=Fate.LEFT, why="DeleteObject was refused: 403 Forbidden"))
    return tally.merged()


EXAMPLES: list[TyrellError] = [
    EtcdUnreachable("demo", ("10.0.0.4:4001",), "connection refused"),
    RoleInvalid("roles/router/role.toml", "size.min: unknown key"),
    NotFound("role 'ruoter'", "there are router, target"),
    SizeOutOfBounds("router", 99, 1, 12),
    WouldLose("demo", {"UsageQueue": "replaced because of QueueName"}, "name what may go"),
    CalendarHolds("prod", "release", "frozen until 2026-12-27 08:00 UTC (Christmas)", "2026-12-28 09:00 UTC"),
    CalendarInvalid("the calendar of prod", "windows.0.until: Field required"),
    DataLost("demo", ("/zetta/version is gone",)),
    StackFailed("demo", "ROLLBACK_COMPLETE", ("Vpc: no more VPCs",)),
    Expired("router 1 to be healthy", 600.0, "0 of 2 healthy"),
    Stopped("router 1 to be healthy"),
    RunCancelled("upgrade router to green on demo"),
    Unfinished("gave up waiting", "tyrell down demo"),
    Conflict("/zetta/version of stack demo", "1", "2"),
    NotReady("router 1", ("1 of 2 machines are healthy",)),
    LockHeld("router", "demo", "ann@desk", "2026-11-22 10:00:00", "upgrade to 2", 12),
    LockLost("router", "demo", "bob@desk"),
    Disproved("router 2", "12 of 50 requests failed"),
    QueueGone("https://sqs.eu-central-1.amazonaws.com/1/usage"),
    QueueTooOld("usage-worker", "https://sqs.eu-central-1.amazonaws.com/1/usage", 5, 20000, 10800, "paused by ann"),
    InfluxUnreachable("http://10.0.0.9:8086", "connection refused"),
    InfluxDenied("http://10.0.0.9:8086", "reader", "authorization failed"),
    InfluxRefused("http://10.0.0.9:8086", "SELECT", "error parsing query: found EOF"),
    Refused("router 2 with 100 %", "no answer within a day"),
    KeeperFailed("m", "restore of influxdb/backup", "the archive is not whole"),
    LeftBehind(merged()),
    PlanOutdated("the live version of router", "one", "two"),
    RolledBack("router 2", "1", "12 of 50 requests failed"),
]


def leaves(kind: type[TyrellError]) -> set[type[TyrellError]]:
    """The errors that are raised, not the branches of the tree."""
    below = [each for each in kind.__subclasses__() if each.__module__ == errors.__name__]
    return {kind} if not below else set().union(*map(leaves, below))


def test_every_error_has_an_example_here() -> None:
    assert {type(example) for example in EXAMPLES} == leaves(TyrellError)


def test_every_error_is_drawn_in_the_tree() -> None:
    assert all(kind.__name__ in str(errors.__doc__) for kind in leaves(TyrellError))


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_the_way_between_processes(error: TyrellError) -> None:
    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301  our own
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_is_one_line_that_names_its_facts(error: TyrellError) -> None:
    said = str(error)
    assert "\n" not in said
    first = error.args[0]
    assert str(first) in said
