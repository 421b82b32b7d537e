"""What a rollout does, act by act, when all goes well and at each point where it may fail."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tasks.errors import DataLost, Disproved, Expired, LockLost, NotReady, RolledBack, TyrellError
from tasks.rollout import replace_in_batches
from tasks.rollouts import FULL, Rollout, Strategy
from tests.tasks.hands import Fault, Hand, Killed
from tests.tasks.operators import RollBack, Upgrade
from tests.tasks.simulated_rollout import Luck, SimulatedBatches
from tests.tasks.simulation import SIZE, Cloud, a_cloud

LAUNCH = ["pin one", "create two", "use two", "scale two to 3", "pin two", "two is steady", "smoke two"]
SETTLE = ["one has served", "drain one", "unpin two", "unpin one"]
BACK = ["look before {'one': 100}", "one=100", "use one"]
DISMISS = ["unpin two", "unpin one", "drain two", "scale two to 0"]
BLUE_GREEN = Rollout(strategy=Strategy.blue_green)


def step(percent: int) -> list[str]:
    """The acts of one step of traffic from version one to version two."""
    shares = {"two": percent} | ({"one": FULL - percent} if percent < FULL else {})
    return [
        f"look before {shares}",
        " ".join(f"{name}={share}" for name, share in shares.items()),
        f"gate at {percent} %",
    ]


@pytest.mark.parametrize(
    ("plan", "steps"),
    [
        (Rollout(), step(1) + step(10) + step(50) + step(100)),
        (Rollout(steps=(10, FULL), approve_before=(FULL,)), [*step(10), "ask for 100 %", *step(100)]),
        (BLUE_GREEN, step(100)),
    ],
    ids=["canary", "canary with approval", "blue-green"],
)
def test_a_good_version_gets_all_traffic_in_this_order(plan: Rollout, steps: list[str]) -> None:
    cloud = a_cloud()
    cloud.journal.clear()
    Upgrade("two", plan).run(cloud)
    assert cloud.journal == LAUNCH + steps + SETTLE
    assert cloud.shares == {"two": FULL}
    assert cloud.groups["one"].desired == SIZE
    assert not cloud.wrongs


@pytest.mark.parametrize(
    ("luck", "acts", "bad"),
    [
        (Luck(steady=Disproved), [*LAUNCH[:-1], *DISMISS, "condemn two"], True),
        (Luck(steady=Expired), [*LAUNCH[:-1], *DISMISS], False),
        (Luck(smoke=False), [*LAUNCH, *DISMISS, "condemn two"], True),
        (Luck(answer="no"), [*LAUNCH, *step(10), "ask for 100 %", *BACK, *DISMISS], False),
        (Luck(gate=Disproved, gate_at=10), [*LAUNCH, *step(10), *BACK, *DISMISS, "condemn two"], True),
        (Luck(gate=Expired, gate_at=10), [*LAUNCH, *step(10), *BACK, *DISMISS], False),
    ],
    ids=["never healthy", "never told", "smoke", "a person says no", "the gate fails", "the gate cannot tell"],
)
def test_a_version_that_fails_leaves_the_old_one_as_it_was(luck: Luck, acts: list[str], bad: bool) -> None:
    cloud = a_cloud()
    before = cloud.groups["one"]
    cloud.journal.clear()
    with pytest.raises(RolledBack, match="rolled two back to one"):
        Upgrade("two", Rollout(steps=(10, FULL), approve_before=(FULL,)), luck).run(cloud)
    assert cloud.journal == acts
    assert cloud.groups["one"] == before
    assert cloud.shares == {"one": FULL}
    assert ("two" in cloud.bad) == bad


def test_when_the_old_version_is_dead_too_traffic_stays_and_a_rollback_ends_it_later() -> None:
    cloud = a_cloud()
    with pytest.raises(NotReady, match=r"two failed .* and one cannot take traffic: 0 of 1"):
        Upgrade("two", Rollout(), Luck(gate=Disproved, gate_at=FULL, old_dies=True)).run(cloud)
    assert cloud.shares == {"two": FULL}
    cloud.boot("one")
    RollBack().run(cloud)
    assert cloud.shares == {"one": FULL}
    assert cloud.groups["two"].desired == 0
    assert not cloud.pinned()


def test_a_run_that_lost_its_lock_does_not_even_let_go_of_the_sizes() -> None:
    cloud = a_cloud()
    with pytest.raises(LockLost):
        Upgrade("two", Rollout(), Luck(gate=Expired, gate_at=1)).run(cloud, at=12, fault=cloud.take_lock)
    assert cloud.journal[-1] == "look before {'one': 100}"
    assert list(cloud.pinned()) == ["one", "two"]
    assert not cloud.wrongs


def test_a_run_that_was_killed_after_the_yes_does_not_ask_again() -> None:
    def kill() -> None:
        raise Killed

    cloud, upgrade = a_cloud(), Upgrade("two", Rollout(steps=(10, FULL), approve_before=(FULL,)))
    with pytest.raises(Killed):
        upgrade.run(cloud, at=len(LAUNCH) + 7, fault=kill)
    assert cloud.journal[-2:] == ["look before {'two': 100}", "two=100"]
    cloud.journal.clear()
    upgrade.run(cloud)
    assert "ask for 100 %" not in cloud.journal
    assert cloud.journal[-5:] == ["gate at 100 %", *SETTLE]


def in_batches(cloud: Cloud, plan: Rollout, luck: Luck, at: int = 0, fault: Fault | None = None) -> None:
    """Replace version one by version two, machine by machine."""
    replace_in_batches(SimulatedBatches(Hand(cloud, at, fault), "one", "two", plan, luck), plan)


def sizes(cloud: Cloud) -> list[str]:
    """The sizes that were written, in order."""
    return [act for act in cloud.journal if act.startswith("scale")]


ROLLING = Rollout(strategy=Strategy.rolling)


@pytest.mark.parametrize(
    ("plan", "written"),
    [
        (ROLLING, ["two to 1", "one to 2", "two to 2", "one to 1", "two to 3", "one to 0"]),
        (Rollout(strategy=Strategy.rolling, batch=2), ["two to 2", "one to 1", "two to 3", "one to 0"]),
        (Rollout(strategy=Strategy.recreate), ["one to 0", "two to 3"]),
    ],
    ids=["rolling", "rolling, two at a time", "recreate"],
)
def test_machines_are_replaced_in_this_order(plan: Rollout, written: list[str]) -> None:
    cloud = a_cloud()
    in_batches(cloud, plan, Luck())
    assert sizes(cloud) == [f"scale {each}" for each in written]
    assert not cloud.pinned()


@pytest.mark.parametrize("strategy", [Strategy.rolling, Strategy.recreate])
@pytest.mark.parametrize("luck", [Luck(steady=Disproved), Luck(steady=Expired), Luck(smoke=False)])
def test_a_bad_batch_gives_the_old_version_all_its_machines_back(strategy: Strategy, luck: Luck) -> None:
    cloud = a_cloud()
    before = cloud.groups["one"]
    with pytest.raises(RolledBack):
        in_batches(cloud, Rollout(strategy=strategy), luck)
    assert cloud.groups["one"] == before
    assert cloud.groups["two"].desired == 0
    assert not cloud.pinned()
    assert ("two" in cloud.bad) == (luck.steady is not Expired)


def test_when_data_got_lost_no_machine_goes_any_more() -> None:
    def lose() -> None:
        raise DataLost("lab", ("/zetta/version is gone",))

    cloud, undisturbed = a_cloud(), a_cloud()
    in_batches(undisturbed, ROLLING, Luck())
    lost_at = undisturbed.journal.index("scale two to 2") + 1
    with pytest.raises(DataLost):
        in_batches(cloud, ROLLING, Luck(), at=lost_at, fault=lose)
    assert sizes(cloud) == ["scale two to 1", "scale one to 2"]
    assert (cloud.groups["one"].desired, cloud.groups["two"].desired) == (2, 1)
    assert cloud.pinned()


@pytest.mark.parametrize("end", [Killed, KeyboardInterrupt])
@pytest.mark.parametrize("luck", [Luck(), Luck(smoke=False)], ids=["good", "bad"])
@pytest.mark.parametrize("strategy", [Strategy.rolling, Strategy.recreate])
def test_batches_that_ended_at_any_act_and_are_run_again_end_the_same(
    strategy: Strategy, luck: Luck, end: type[BaseException]
) -> None:
    def run(cloud: Cloud, at: int = 0) -> None:
        def fault() -> None:
            raise end

        with suppress(TyrellError, end):
            in_batches(cloud, Rollout(strategy=strategy), luck, at, fault)

    undisturbed = a_cloud()
    run(undisturbed)
    for at in range(1, len(undisturbed.journal)):
        cloud = a_cloud()
        run(cloud, at)
        run(cloud)
        assert cloud.seen() == undisturbed.seen(), f"ended before act {at}"
