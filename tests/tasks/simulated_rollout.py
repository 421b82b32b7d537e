"""The verbs of a rollout on a simulated cloud."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.errors import Disproved, Expired, Refused
from tasks.marks import LEFT
from tasks.pins import pinned_size
from tasks.rollouts import FULL, Rollout
from tests.tasks.hands import Hand
from tests.tasks.simulated_tasks import condemn, give, scale, stop, unpin, unpin_all, use


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
        for name in self.cloud.pinned():
            if name not in {self.old, self.new}:
                unpin(self.hand, name)

    def unpin(self) -> None:
        self.hand.check_held()
        unpin_all(self.hand, last=self.old)

    def launch(self) -> None:
        self.hand.write(f"create {self.new}")
        self.cloud.create(self.new)
        use(self.hand, self.new)
        self.fill()
        self.hand.write(f"pin {self.new}")
        self.cloud.pin(self.new, self.new, hold=self.hold)

    def fill(self) -> None:
        """As large as the old version is."""
        scale(self.hand, self.new, self.cloud.groups[self.old].desired)

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
        condemn(self.hand, self.new, reason)


class SimulatedTraffic(Simulated):
    """See `tasks.by_weights` and `tasks.by_pointer`."""

    def launch(self) -> None:
        if LEFT in self.cloud.groups[self.old].tags and self.share() < FULL:
            use(self.hand, self.old)
        super().launch()

    def share(self) -> int:
        self.hand.look()
        return self.cloud.shares.get(self.new, 0)

    def ask(self, percent: int) -> None:
        self.hand.act(f"ask for {percent} %")
        if self.luck.answer != "yes":
            raise Refused(self.new, self.luck.answer)

    def shift(self, percent: int) -> None:
        give(self.hand, {self.new: percent, self.old: FULL - percent}, all_healthy=True)

    def shift_back(self) -> None:
        give(self.hand, {self.old: FULL}, all_healthy=False)
        use(self.hand, self.old)

    def await_gate(self, percent: int) -> None:
        self.hand.act(f"gate at {percent} %")
        if self.luck.gate and percent >= self.luck.gate_at:
            if self.luck.old_dies:
                self.cloud.healthy[self.old] = 0
            raise failed(self.luck.gate, self.new)

    def dismiss(self) -> None:
        stop(self.hand, self.new)


class SimulatedBatches(Simulated):
    """See `tasks.in_batches`."""

    hold = False

    @property
    def size(self) -> int:
        return max(map(pinned_size, self.cloud.by_name()))

    def sizes(self) -> tuple[int, int]:
        self.hand.look()
        return self.cloud.groups[self.old].desired, self.cloud.groups[self.new].desired

    def fill(self) -> None:
        """It comes machine by machine."""

    def resize_old(self, size: int) -> None:
        scale(self.hand, self.old, size)
        self.hand.act(f"{self.old} has {size}")
        self.cloud.boot(self.old)

    def resize_new(self, size: int) -> None:
        self.hand.look()
        if self.new not in self.cloud.groups:
            return
        scale(self.hand, self.new, size)
        if size:
            self.await_steady()
