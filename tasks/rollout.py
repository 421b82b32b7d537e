"""How one version replaces another, step by step, and how it all is undone: the order of things, and nothing else.

What is seen and done is the `World`'s: Prefect tasks on AWS and etcd, or a simulation in the tests of this order.
Everything here may be killed at any line and run again: each verb looks first and does what is still to do.
"""

from __future__ import annotations

from typing import Protocol

from tasks.errors import DataLost, Disproved, LockLost, NotReady, RolledBack
from tasks.rollouts import Rollout, Strategy


class Sides(Protocol):
    """The old and the new version of one role of one stack, under the lock."""

    @property
    def old_name(self) -> str:
        """The version to which everything goes back, for people."""

    @property
    def new_name(self) -> str:
        """The version that is to take over, for people."""

    def pin(self) -> None:
        """Let nobody else change the size of either version."""

    def unpin(self) -> None:
        """Give that back; fine when there is nothing to give back."""

    def smoke(self) -> None:
        """Ask the new version what it must answer. Raises Disproved."""

    def settle(self) -> None:
        """The old version is known good, and its time is over."""

    def condemn(self, reason: str) -> None:
        """Remember that the new version is bad."""


class World(Sides, Protocol):
    """A role with traffic."""

    def launch(self) -> None:
        """Have the new version beside the old one, as large, and without traffic."""

    def await_steady(self) -> None:
        """Return once all of the new version has been healthy for a while. Raises Disproved, or Expired."""

    def share(self) -> int:
        """Percent of the traffic the new version has."""

    def ask(self, percent: int) -> None:
        """Get a person's yes to that share. Raises Refused."""

    def shift(self, percent: int) -> None:
        """Give the new version that share and the old one the rest, in one write. Raises NotReady, LockLost."""

    def shift_back(self) -> None:
        """Give the old version everything, in one write. Raises NotReady when it cannot serve, LockLost."""

    def await_gate(self, percent: int) -> None:
        """Return once that share has proved good. Raises Disproved, or Expired when that cannot be told."""

    def dismiss(self) -> None:
        """Take the new version's machines away."""


def replace(world: World, plan: Rollout) -> None:
    """Give the new version all of the traffic, or leave the old one exactly as it was.

    Raises RolledBack with the reason; NotReady when the old version cannot take its traffic back, which leaves both as
    they are and pinned, so that a rollback can end it; and LockLost, after which nothing more is touched: whoever has
    the lock now will.
    """
    try:
        _replace_or_undo(world, plan)
    except Exception:
        raise
    except BaseException:  # Ctrl-C, or Prefect's cancellation: the machines stay, so that going on is quick
        if world.share():
            world.shift_back()
        world.unpin()
        raise


def _replace_or_undo(world: World, plan: Rollout) -> None:
    try:
        world.pin()
        world.launch()
        world.await_steady()
        world.smoke()
        for percent in plan.percents_from(world.share()):
            if percent in plan.approve_before and world.share() < percent:
                world.ask(percent)
            world.shift(percent)
            if plan.watched:
                world.await_gate(percent)
        world.settle()
        world.unpin()
    except LockLost:
        raise
    except Exception as error:
        _undo(world, error)
        raise RolledBack(world.new_name, world.old_name, str(error)) from error


def _undo(world: World, error: Exception) -> None:
    """Traffic first. Marked bad last: a repetition after a kill is refused only when nothing is left to undo."""
    if world.share():
        try:
            world.shift_back()
        except NotReady as refusal:
            raise NotReady(f"{world.new_name} failed ({error}) and {world.old_name}", refusal.problems) from error
    world.unpin()
    world.dismiss()
    if isinstance(error, Disproved):
        world.condemn(error.reason)


class Batches(Sides, Protocol):
    """A role without traffic."""

    @property
    def size(self) -> int:
        """How many machines there should be."""

    def sizes(self) -> tuple[int, int]:
        """How many machines the old and the new version have."""

    def launch(self) -> None:
        """Have the new version, without machines or with those it has already."""

    def resize_old(self, size: int) -> None:
        """Have that many old machines."""

    def resize_new(self, size: int) -> None:
        """Have that many new machines, all healthy. Raises Disproved, or Expired."""


def replace_in_batches(batches: Batches, plan: Rollout) -> None:
    """`batch` machines at a time, the new ones first; with `recreate` all at once, and the old ones go first.

    Raises RolledBack: then the old version has all its machines again and the new one none. Stopped by Ctrl-C, both
    keep the machines they have and stay pinned: how many there should be is known only from there. So they do when
    DataLost is raised: whoever goes may be the last to have them.
    """
    try:
        batches.pin()
        batches.launch()
        more = 0
        while more < batches.size:  # once at least: machines that are there already may not have proved good
            if plan.strategy is Strategy.recreate:
                batches.resize_old(0)
                more = batches.size
            else:
                _, new = batches.sizes()
                more = min(new + plan.batch, batches.size)
            batches.resize_new(more)
            batches.smoke()
            batches.resize_old(batches.size - more)
        batches.settle()
        batches.unpin()
    except (LockLost, DataLost):
        raise
    except Exception as error:
        batches.resize_old(batches.size)
        batches.resize_new(0)
        batches.unpin()
        if isinstance(error, Disproved):
            batches.condemn(error.reason)
        raise RolledBack(batches.new_name, batches.old_name, str(error)) from error
