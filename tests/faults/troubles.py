"""What goes wrong at a write of a command: the faults of the cloud, and what happens to the command meanwhile."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic.dataclasses import dataclass

from tests.faults.rounds import COMMANDS, NEW, STACK
from tests.faults.steps import done_elsewhere, told
from tyrell.local.faults.model import FAULT, Fault
from tyrell.local.faults.services import creations

LAUNCH = "autoscaling.UpdateAutoScalingGroup"


class Trouble(StrEnum):
    """What goes wrong at the n-th call of an operation."""

    killed_before = "killed before the call"
    killed_after = "killed after the call"
    terminated = "SIGTERM"
    cancelled = "cancelled in Prefect"
    throttled = "throttled"
    answer_lost = "answer lost"
    not_found = "not found yet"
    denied = "access denied"
    lock_lost = "lock lost"
    etcd_member_gone = "etcd minority gone"
    prefect_gone = "Prefect server gone for 5 s"
    prefect_long_gone = "Prefect server gone for a minute"
    no_capacity = "capacity refused"
    never_healthy = "machine never healthy"
    flapping = "machine flaps"


SURVIVED = {Trouble.throttled, Trouble.answer_lost, Trouble.not_found, Trouble.etcd_member_gone, Trouble.no_capacity}
"""Not even the run that meets them may fail."""

OF_MACHINES = {Trouble.no_capacity, Trouble.never_healthy, Trouble.flapping}

KILLS = {Trouble.killed_before, Trouble.killed_after}
"""Those that come at every write, unless the command is slow; the others only at the first of each kind."""

SAMPLE = {Trouble.terminated, Trouble.cancelled, Trouble.throttled, Trouble.answer_lost}
"""Those of the others that sampled commands meet."""

OF_STEPS = {
    Trouble.killed_after,
    Trouble.terminated,
    Trouble.cancelled,
    Trouble.lock_lost,
    Trouble.etcd_member_gone,
    Trouble.prefect_gone,
    Trouble.prefect_long_gone,
}
"""Those that can come right after a step whose calls no fault can be bound to."""

LONG_ALONE = {"upgrade router", "upgrade target"}
"""The commands during which the Prefect server stays away for long."""

_LATE = {"kind": "latency", "seconds": 1.5}
"""Long enough for something to happen while the call is under way."""

_LATER = {"kind": "latency", "seconds": 4.0}
"""Long enough for a run to hear of its cancellation."""

_FAULTS: dict[Trouble, dict[str, Any]] = {
    Trouble.killed_before: {"kind": "stalled-request"},
    Trouble.killed_after: {"kind": "stalled-answer"},
    Trouble.terminated: _LATE,
    Trouble.cancelled: _LATER,
    Trouble.throttled: {"kind": "throttling"},
    Trouble.answer_lost: {"kind": "lost-answer"},
    Trouble.not_found: {"kind": "not-found", "seconds": 3},
    Trouble.denied: {"kind": "access-denied"},
    Trouble.lock_lost: _LATE,
    Trouble.etcd_member_gone: {"kind": "freezes", "machines": f"{STACK}-core-services*", "count": 1},
    Trouble.prefect_gone: {"kind": "prefect-gone", "seconds": 5},
    Trouble.prefect_long_gone: {"kind": "prefect-gone", "seconds": 60},
    Trouble.no_capacity: {"kind": "no-capacity", "call": "ec2.RunInstances", "nth": 1},
    Trouble.never_healthy: {"kind": "never-boots", "machines": f"*-{NEW}*", "count": 1},
    Trouble.flapping: {"kind": "flaps", "machines": f"*-{NEW}*", "count": 1, "seconds": 2, "up": 1},
}


@dataclass(frozen=True, order=True)
class Write:
    """The `nth` time that a command makes that call, which changes something, or has done that step."""

    command: str
    call: str
    nth: int

    @property
    def of_step(self) -> bool:
        """Whether it is a step that does not write through AWS."""
        return self.call.split(".")[0] in told().elsewhere

    def is_done_in(self, said: str) -> bool:
        """Whether a run that has said this has done that step so often."""
        return done_elsewhere(said).count(self.call) >= self.nth

    def can(self, trouble: Trouble) -> bool:
        """Whether that can go wrong there, and is asked for."""
        return self._may(trouble) and self._is_asked(trouble)

    def _may(self, trouble: Trouble) -> bool:
        if self.of_step:
            return trouble in OF_STEPS
        if trouble is Trouble.not_found:
            return self.call in creations()
        return trouble not in OF_MACHINES or (COMMANDS[self.command].launches and self.call == LAUNCH)

    def _is_asked(self, trouble: Trouble) -> bool:
        command = COMMANDS[self.command]
        if trouble in KILLS:
            return self.nth == 1 or not command.slow
        if trouble is Trouble.prefect_long_gone and self.command not in LONG_ALONE:
            return False
        return self.nth == 1 and (trouble in SAMPLE or not command.sampled)

    def fault(self, trouble: Trouble) -> Fault:
        """The trouble as the embedded cloud is given it; at a step it begins at once."""
        when = {} if self.of_step else {"call": self.call, "nth": self.nth}
        return FAULT.validate_python(when | _FAULTS[trouble])
