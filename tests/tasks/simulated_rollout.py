"""The verbs of a rollout on a simulated cloud."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.errors import Disproved, Expired, NotReady, Refused
from tasks.marks import HOT_UNTIL, LEFT
from tasks.rollouts import FULL, Rollout
from tests.tasks.hands import Hand


@dataclass(frozen=True)
class Luck:
    """What the new version, and the person who is asked, will turn out to be; None: as good as can be."""

    steady: type[Disproved] | type[Expired] | None = None
    smoke: bool = True
    gate: type[Disproved] | type[Expired] | None = None
    gate_at: int = FULL
    answer: str = "yes"
    old_dies: bool = False
    """All machines of the old version die as the gate fails."""


def failed(kind: type[Disproved] | type[Expired], what: str) -> Exception:
    """The error that says it."""
    return Disproved(what, "it fails") if kind is Disproved else Expired(what, 600, "nobody can tell")


class Simulated:
    """What is the same for every kind of traffic; see `tasks.replacement`."""

    hold = True

    def __init__(self, hand: Hand, old: str, new: str, plan: Rollout, luck: Luck) -> None:
        self.hand, self.cloud = hand, hand.cloud
        self.old, self.new = old, new
        self.plan, self.luck = plan, luck

    @property
    def old_name(self) -> str:
        return self.old

    @property
    def new_name(self) -> str:
        return self.new

    def pin(self) -> None:
        self.hand.write(f"pin {self.old}")
        self.cloud.pin(self.old, self.new, hold=self.hold)

    def unpin(self) -> None:
        """The old version last: its pin says where an unfinished upgrade came from."""
        for name in sorted(self.cloud.pinned(), key=lambda name: name == self.old):
            self.hand.write(f"unpin {name}")
            self.cloud.unpin(name)

    def launch(self) -> None:
        self.hand.write(f"create {self.new}")
        self.cloud.create(self.new)
        self.hand.write(f"use {self.new}")
        self.cloud.untag(self.new, LEFT, HOT_UNTIL)
        self.fill()
        self.hand.write(f"pin {self.new}")
        self.cloud.pin(self.new, self.new, hold=self.hold)

    def fill(self) -> None:
        """As large as the old version is."""
        self.scale(self.new, self.cloud.groups[self.old].desired)

    def scale(self, name: str, size: int) -> None:
        if self.cloud.groups[name].desired != size:
            self.hand.write(f"scale {name} to {size}")
            self.cloud.resize(name, size)

    def await_steady(self) -> None:
        self.hand.act(f"{self.new} is steady")
        if self.luck.steady:
            raise failed(self.luck.steady, self.new)
        self.cloud.boot(self.new)

    def smoke(self) -> None:
        self.hand.act(f"smoke {self.new}")
        if not self.luck.smoke:
            raise failed(Disproved, self.new)

    def settle(self) -> None:
        self.hand.write(f"{self.old} has served")
        self.cloud.mark_left(self.old, self.plan.rollback_window)
        self.hand.act(f"drain {self.old}")

    def condemn(self, reason: str) -> None:
        self.hand.write(f"condemn {self.new}")
        self.cloud.bad[self.new] = reason


class SimulatedTraffic(Simulated):
    """See `tasks.by_weights` and `tasks.by_pointer`."""

    def share(self) -> int:
        self.hand.look()
        return self.cloud.shares.get(self.new, 0)

    def ask(self, percent: int) -> None:
        self.hand.act(f"ask for {percent} %")
        if self.luck.answer != "yes":
            raise Refused(self.new, self.luck.answer)

    def shift(self, percent: int) -> None:
        self._give({self.new: percent, self.old: FULL - percent}, all_healthy=True)

    def shift_back(self) -> None:
        self._give({self.old: FULL}, all_healthy=False)
        self.hand.write(f"use {self.old}")
        self.cloud.untag(self.old, LEFT, HOT_UNTIL)

    def _give(self, wanted: dict[str, int], *, all_healthy: bool) -> None:
        self.hand.look()
        wanted = {name: share for name, share in wanted.items() if share}
        if wanted == self.cloud.shares:
            return
        self.hand.act(f"look before {wanted}")
        for name, share in wanted.items():
            floor = max(self.cloud.groups[name].desired if all_healthy else 1, 1)
            if share > self.cloud.shares.get(name, 0) and self.cloud.healthy[name] < floor:
                raise NotReady(name, (f"{self.cloud.healthy[name]} of {floor}",))
        self.hand.write(" ".join(f"{name}={share}" for name, share in wanted.items()))
        self.cloud.give(wanted)

    def await_gate(self, percent: int) -> None:
        self.hand.act(f"gate at {percent} %")
        if self.luck.gate and percent >= self.luck.gate_at:
            if self.luck.old_dies:
                self.cloud.healthy[self.old] = 0
            raise failed(self.luck.gate, self.new)

    def dismiss(self) -> None:
        self.hand.write(f"drain {self.new}")
        self.scale(self.new, 0)


class SimulatedBatches(Simulated):
    """See `tasks.in_batches`."""

    hold = False

    @property
    def size(self) -> int:
        return self.cloud.size_before(self.old)

    def sizes(self) -> tuple[int, int]:
        self.hand.look()
        return self.cloud.groups[self.old].desired, self.cloud.groups[self.new].desired

    def fill(self) -> None:
        """It comes machine by machine."""

    def resize_old(self, size: int) -> None:
        self.scale(self.old, size)
        self.hand.act(f"{self.old} has {size}")
        self.cloud.boot(self.old)

    def resize_new(self, size: int) -> None:
        self.hand.look()
        if self.new not in self.cloud.groups:
            return
        self.scale(self.new, size)
        if size:
            self.await_steady()
