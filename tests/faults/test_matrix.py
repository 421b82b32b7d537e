"""A few cells of the fault matrix; `make faults` makes all of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.faults.cells import SOON, Stage, Trouble, Write
from tests.faults.commands import STACK
from tests.faults.stage import stage
from tests.faults.steps import told
from tests.waiting import eventually

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

CELLS = [
    (Write("deploy", "cloudformation.CreateStack", 1), Trouble.killed_after),
    (Write("deploy", "elbv2.ModifyRule", 1), Trouble.answer_lost),
    (Write("deploy", "autoscaling.UpdateAutoScalingGroup", 1), Trouble.throttled),
]


@pytest.fixture(scope="module")
def theatre() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.fixture(scope="module")
def writes(theatre: Stage) -> list[Write]:
    return theatre.rehearse("deploy")


def test_every_write_of_the_command_is_one_that_a_step_is_said_to_make(writes: list[Write]) -> None:
    assert len(writes) >= len(CELLS)
    assert not [write for write in writes if not told().making(write.call)]


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


@pytest.mark.parametrize(("write", "trouble"), CELLS)
def test_a_disturbed_run_that_is_repeated_ends_as_an_undisturbed_one(
    theatre: Stage, writes: list[Write], write: Write, trouble: Trouble
) -> None:
    assert write in writes
    assert not theatre.disturb(write, trouble)
