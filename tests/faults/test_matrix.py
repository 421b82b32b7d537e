"""A few cells of the fault matrix; `make faults` makes all of them."""

from __future__ import annotations

from functools import partial

import pytest

from tests.faults.cells import SOON, Stage
from tests.faults.rounds import ROUNDS, STACK
from tests.faults.steps import told
from tests.faults.troubles import Trouble, Write
from tests.waiting import eventually

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

ROUND = ROUNDS["router"]

TROUBLES = [
    (Write("deploy router", "cloudformation.CreateStack", 1), Trouble.killed_after),
    (Write("upgrade router", "elbv2.ModifyRule", 2), Trouble.killed_before),
    (Write("roll router back", "elbv2.ModifyRule", 1), Trouble.lock_lost),
    (Write("retire router", "cloudformation.DeleteStack", 1), Trouble.terminated),
    (Write("scale router out", "autoscaling.UpdateAutoScalingGroup", 1), Trouble.denied),
    (Write("scale router in", "autoscaling.TerminateInstanceInAutoScalingGroup", 1), Trouble.answer_lost),
]
"""One for each command of the round, in its order."""


@pytest.fixture(scope="module")
def writes(theatre: Stage) -> list[Write]:
    return [write for written in theatre.rehearse(ROUND).values() for write in written]


def test_every_write_of_the_commands_is_one_that_a_step_is_said_to_make(writes: list[Write]) -> None:
    assert {write.command for write in writes} == {command.name for command in ROUND.commands}
    assert not [write for write in writes if not told().making(write.call)]


def test_disturbed_runs_that_are_repeated_end_as_undisturbed_ones(theatre: Stage, writes: list[Write]) -> None:
    for command, (write, trouble) in zip(ROUND.commands, TROUBLES, strict=True):
        assert write in writes
        assert not theatre.disturb(ROUND, command, write, trouble), f"{write}, {trouble}"


def test_a_stack_can_lose_one_member_of_etcd_and_its_commands_say_so_when_it_loses_two(theatre: Stage) -> None:
    tyrell = theatre.tyrell

    def stand_still(members: int) -> bool:
        return [len(each["struck"]) for each in tyrell.json("local", "fault", "list")] == [members]

    for preset, members, code in (("etcd-minority", 1, 0), ("etcd-majority", 2, 1)):
        tyrell.ok("local", "fault", "add", preset)
        eventually(f"{members} members to stand still", partial(stand_still, members), SOON)
        done = tyrell.run("locks", "--stack", STACK)
        assert done.returncode == code, f"{preset}: {done.stdout}{done.stderr}"
        assert code == 0 or "etcd" in done.stderr
        tyrell.ok("local", "fault", "clear")
    eventually("etcd to answer again", lambda: tyrell.run("locks", "--stack", STACK).returncode == 0, SOON)
