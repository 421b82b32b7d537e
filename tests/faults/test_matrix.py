"""A few cells of the fault matrix; `make faults` makes all of them."""

from __future__ import annotations

import pytest

from tests.faults.cells import Stage
from tests.faults.rounds import ROUNDS
from tests.faults.steps import told
from tests.faults.troubles import Trouble, Write

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

TROUBLES = {
    "router comes and goes": [
        (Write("deploy router", "cloudformation.CreateStack", 1), Trouble.killed_after),
        (Write("retire router", "cloudformation.DeleteStack", 1), Trouble.cancelled),
    ],
    "router takes over and gives back": [
        (Write("upgrade router", "elbv2.ModifyRule", 2), Trouble.killed_before),
        (Write("roll router back", "elbv2.ModifyRule", 1), Trouble.lock_lost),
    ],
    "router grows and shrinks": [
        (Write("scale router out", "autoscaling.UpdateAutoScalingGroup", 1), Trouble.denied),
        (Write("scale router in", "autoscaling.TerminateInstanceInAutoScalingGroup", 1), Trouble.answer_lost),
    ],
}
"""By round, one for each of its commands, in its order."""


@pytest.mark.parametrize("name", TROUBLES)
def test_disturbed_runs_that_are_repeated_end_as_undisturbed_ones(theatre: Stage, name: str) -> None:
    played = ROUNDS[name]
    with theatre.prepared(played) as writes:
        assert not [write for written in writes.values() for write in written if not told().making(write.call)]
        for command, (write, trouble) in zip(played.commands, TROUBLES[name], strict=True):
            assert write in writes[command.name]
            assert not theatre.disturb(played, command, write, trouble), f"{write}, {trouble}"
