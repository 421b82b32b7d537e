"""One cell of the fault matrix: a command, one of its writes, and what goes wrong there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.faults import world
from tests.faults.commands import AFTER_A_KILL, COMMANDS, ROLE, STACK, Command, run_all
from tests.flows.embedded import Tyrell
from tests.flows.load import Load
from tests.waiting import eventually
from tyrell.local.faults.calls import READS
from tyrell.local.faults.model import CallFault, Given
from tyrell.local.faults.remote import add_fault, clear_faults, find_faults
from tyrell.local.faults.services import creations
from tyrell.local.settings import Settings

SERVICES = ("cloudformation", "autoscaling", "elbv2")
"""Whose writes are disturbed."""

LONGEST = 300.0
SOON = 60.0


class Trouble(StrEnum):
    """What goes wrong at the n-th call of an operation."""

    killed_before = "killed before the call"
    killed_after = "killed after the call"
    throttled = "throttled"
    answer_lost = "answer lost"
    not_found = "not found yet"
    denied = "access denied"


FAULTS: dict[Trouble, dict[str, Any]] = {
    Trouble.killed_before: {"kind": "stalled-request"},
    Trouble.killed_after: {"kind": "stalled-answer"},
    Trouble.throttled: {"kind": "throttling"},
    Trouble.answer_lost: {"kind": "lost-answer"},
    Trouble.not_found: {"kind": "not-found", "seconds": 3},
    Trouble.denied: {"kind": "access-denied"},
}
KILLS = (Trouble.killed_before, Trouble.killed_after)


@dataclass(frozen=True, order=True)
class Write:
    """The `nth` time that a command makes that call, which changes something."""

    command: str
    call: str
    nth: int

    def can(self, trouble: Trouble) -> bool:
        """Whether that can go wrong there: only what is created can be not found yet."""
        return trouble is not Trouble.not_found or self.call in creations()

    def fault(self, trouble: Trouble) -> CallFault:
        """The trouble as the embedded cloud is given it."""
        return CallFault.model_validate({**FAULTS[trouble], "call": self.call, "nth": self.nth})


class Stage:
    """A stack on an embedded cloud, on which commands are disturbed one after the other."""

    def __init__(self, tyrell: Tyrell, settings: Settings, url: str) -> None:
        self.tyrell = tyrell
        self._settings = settings
        self._url = url
        self._wanted: dict[str, world.World] = {}

    def rehearse(self, name: str) -> list[Write]:
        """Run the command undisturbed, remember what it comes to, and tell every write that it makes, in order."""
        with self._ready(COMMANDS[name]) as command:
            noted = add_fault(self._settings, CallFault(kind="latency", seconds=0))
            self.tyrell.ok(*self._words(command))
            calls = self._struck(noted)
            clear_faults(self._settings)
            self._wanted[name] = self._settled()
        counts: Counter[str] = Counter()
        writes = []
        for call in calls:
            service, _, operation = call.partition(".")
            if service in SERVICES and not operation.startswith(READS):
                counts[call] += 1
                writes.append(Write(name, call, counts[call]))
        return writes

    def disturb(self, write: Write, trouble: Trouble) -> list[str]:
        """Run the command with that trouble, then again without; what is not as after an undisturbed run."""
        with self._ready(COMMANDS[write.command]) as command:
            given = add_fault(self._settings, write.fault(trouble))
            with Load(self._url, rate=5, sockets=0) as load:
                problems = self._suffer(command, trouble, given)
                struck = self._struck(given)
                clear_faults(self._settings)
                again = self.tyrell.run(*self._words(command), timeout=LONGEST)
            problems += [] if struck == (write.call,) else [f"the fault struck {struck or 'nothing'}"]
            problems += [str(load.report())] if load.report().failed else []
            problems += [again.stderr[-500:]] if again.returncode else []
            return problems + self._left(write.command)

    def _suffer(self, command: Command, trouble: Trouble, given: Given) -> list[str]:
        """Run the command while the fault is on; what it leaves unsaid."""
        if trouble in KILLS:
            self._kill(command, given)
            return []
        done = self.tyrell.run(*self._words(command), timeout=LONGEST)
        told = done.returncode == 1 and "AccessDenied" in done.stderr
        return [f"did not say why it failed: {done.stderr[-300:]}"] if trouble is Trouble.denied and not told else []

    def _kill(self, command: Command, given: Given) -> None:
        """SIGKILL the command's process while it waits for the answer to the call."""
        process = self.tyrell.started(*self._words(command))
        try:
            eventually("the call", lambda: process.poll() is not None or self._struck(given), LONGEST)
        finally:
            process.kill()
            process.wait()

    def _left(self, name: str) -> list[str]:
        """How the world differs from that of an undisturbed run, once that does not change any more."""
        try:
            eventually("", lambda: not world.differences(self._wanted[name], self._look()), SOON)
        except AssertionError:
            return world.differences(self._wanted[name], self._look())
        return []

    def _settled(self) -> world.World:
        """The world once no machine comes or goes."""

        def settled() -> world.World | None:
            seen = self._look()
            members = sum(group["in service"] for group in seen["groups"].values())
            return seen if members == seen["machines"] else None

        found = eventually("every machine to be in service, or gone", settled, SOON)
        assert found
        return found

    @contextmanager
    def _ready(self, command: Command) -> Iterator[Command]:
        """The world that the command begins with, and ends with."""
        run_all(self.tyrell, command.before)
        try:
            yield command
        finally:
            clear_faults(self._settings)
            run_all(self.tyrell, command.after)

    def _look(self) -> world.World:
        seen: world.World = json.loads(json.dumps(world.look(STACK, ROLE)))
        return seen

    def _struck(self, given: Given) -> tuple[str, ...]:
        return next(each.struck for each in find_faults(self._settings) if each.id == given.id)

    @staticmethod
    def _words(command: Command) -> tuple[str, ...]:
        return (*command.words, *AFTER_A_KILL, "--stack", STACK)
