"""The faults that are on: which of them strikes this call, this machine, this target group."""

from __future__ import annotations

import itertools
import random
import threading
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from tyrell.local.faults.calls import Call
from tyrell.local.faults.model import BalancerFault, CallFault, Fault, Given, MachineFault, ServerFault


@dataclass(frozen=True)
class Strike:
    """A call that goes wrong: how, and what is set once the fault is taken back."""

    fault: CallFault
    cleared: threading.Event


@dataclass
class Switch:
    """One fault that is on, and until when."""

    id: int
    fault: Fault
    met: int = 0
    """How many calls that it names were made since."""
    struck: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    cleared: threading.Event = field(default_factory=threading.Event)

    @property
    def waits(self) -> bool:
        """Whether a fault of anything but calls waits for the call that it begins with."""
        return not isinstance(self.fault, CallFault) and bool(self.fault.call) and self.met < self.fault.nth

    def meet(self, call: Call) -> Strike | None:
        """Count the call when the fault names it; None when the call goes well.

        Which calls do depends on nothing but the seed and the number of calls before: a run can be made again.
        """
        fault = self.fault
        if not fault.call or not fnmatchcase(call.name, fault.call):
            return None
        if call.by_cloud and fault.kind != "no-capacity":
            return None
        waited, self.met = self.waits, self.met + 1
        if not isinstance(fault, CallFault):
            self.begun = time.monotonic() if waited else self.begun
            return None
        if fault.nth and fault.nth != self.met:
            return None
        if random.Random(f"{fault.seed} {self.met}").random() >= fault.share:  # noqa: S311  replayable on purpose
            return None
        self.struck.append(call.name)
        return Strike(fault, self.cleared)


class Switches:
    """All faults of one cloud; may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on: dict[int, Switch] = {}
        self._ids = itertools.count(1)

    def add(self, fault: Fault) -> Given:
        """From now on this goes wrong."""
        with self._lock:
            switch = Switch(next(self._ids), fault)
            self._on[switch.id] = switch
        return _given(switch)

    def clear(self, number: int | None = None) -> list[Given]:
        """Take back the fault of that number, or all; what was taken back."""
        with self._lock:
            gone = [switch for switch in self._on.values() if number in (None, switch.id)]
            for switch in gone:
                del self._on[switch.id]
                switch.cleared.set()
        return [_given(switch) for switch in gone]

    def given(self) -> list[Given]:
        """Every fault that is on, the oldest first."""
        with self._lock:
            return [_given(switch) for switch in self._on.values()]

    @property
    def any(self) -> bool:
        """Whether there is a fault at all."""
        return bool(self._on)

    def meet(self, call: Call) -> list[Strike]:
        """Tell every fault of the call; how it goes wrong, the oldest fault first."""
        with self._lock:
            strikes = [switch.meet(call) for switch in self._on.values()]
        return [strike for strike in strikes if strike]

    def of_machine(self, instance_id: str, name: str) -> list[tuple[MachineFault, float]]:
        """The faults that this instance has, each with the seconds since it began."""
        found = []
        with self._lock:
            for switch in self._on.values():
                fault = switch.fault
                if isinstance(fault, MachineFault) and not switch.waits and _takes(switch, fault, instance_id, name):
                    found.append((fault, time.monotonic() - switch.begun))
        return found

    def hides_health(self, target_group: str) -> bool:
        """Whether load balancers may not see the health of a target group of that name."""
        with self._lock:
            return any(
                isinstance(switch.fault, BalancerFault)
                and not switch.waits
                and fnmatchcase(target_group, switch.fault.target_groups)
                for switch in self._on.values()
            )

    @property
    def hides_prefect(self) -> bool:
        """Whether the Prefect server may answer nobody now."""
        with self._lock:
            return any(_silences(switch) for switch in self._on.values())

    def ending_leases(self) -> list[ServerFault]:
        """The faults by which leases end now; each comes once."""
        with self._lock:
            return [fault for switch in self._on.values() if (fault := _server_fault(switch, "lease-loss", once=True))]


def _silences(switch: Switch) -> bool:
    fault = _server_fault(switch, "prefect-gone")
    return fault is not None and (not fault.seconds or time.monotonic() - switch.begun < fault.seconds)


def _server_fault(switch: Switch, kind: str, *, once: bool = False) -> ServerFault | None:
    """The fault when it is of that kind and on; from now on it has struck."""
    fault = switch.fault
    if not isinstance(fault, ServerFault) or fault.kind != kind or switch.waits or (once and switch.struck):
        return None
    switch.struck = [fault.machines if once else "the Prefect server"]
    return fault


def _takes(switch: Switch, fault: MachineFault, instance_id: str, name: str) -> bool:
    if instance_id in switch.struck:
        return True
    if not fnmatchcase(name, fault.machines) or (fault.count and len(switch.struck) >= fault.count):
        return False
    switch.struck.append(instance_id)
    return True


def _given(switch: Switch) -> Given:
    return Given(id=switch.id, fault=switch.fault, struck=tuple(switch.struck))
