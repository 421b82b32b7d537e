"""A few cells of the fault matrix; `make faults` makes all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.cells import Stage, Trouble, Write
from tests.faults.stage import stage
from tests.faults.steps import told

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


@pytest.mark.parametrize(("write", "trouble"), CELLS)
def test_a_disturbed_run_that_is_repeated_ends_as_an_undisturbed_one(
    theatre: Stage, writes: list[Write], write: Write, trouble: Trouble
) -> None:
    assert write in writes
    assert not theatre.disturb(write, trouble)
