"""One cell of the fault matrix: a command, one of its writes, and what goes wrong there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.faults import world
from tests.faults.disturbed import Disturbed, forget_locks
from tests.faults.rounds import Command, Round
from tests.faults.steps import done_elsewhere
from tests.faults.troubles import Trouble, Write
from tests.flows.embedded import Tyrell
from tests.flows.load import Load
from tests.waiting import eventually
from tyrell.local.faults.calls import READS
from tyrell.local.faults.model import CallFault
from tyrell.local.faults.remote import add_fault, clear_faults, find_struck
from tyrell.local.settings import Settings

SERVICES = ("autoscaling", "cloudformation", "ec2", "elbv2", "route53", "s3")
"""Whose writes are disturbed."""

SOON = 30.0


class Stage:
    """A stack on an embedded cloud, on which commands are disturbed one after the other."""

    def __init__(self, tyrell: Tyrell, settings: Settings, url: str) -> None:
        self.tyrell = tyrell
        self._settings = settings
        self._url = url
        self._wanted: dict[str, world.World] = {}

    @contextmanager
    def prepared(self, played: Round) -> Iterator[dict[str, list[Write]]]:
        """The stack as the round begins with it, rehearsed; what each command writes. It is left as it was."""
        for command in played.before:
            self.play(command)
        yield self.rehearse(played)
        for command in played.after:
            self.play(command)

    def rehearse(self, played: Round) -> dict[str, list[Write]]:
        """Play it twice undisturbed: what each command of the second time writes, in order, and comes to."""
        for command in played.commands:
            self.play(command)
        return {command.name: self._rehearse(command, played) for command in played.commands}

    def play(self, command: Command) -> None:
        """Run the command undisturbed; it must succeed."""
        self.said(*command.words)

    def said(self, *words: str) -> str:
        """What a command that must succeed says."""
        done = self.tyrell.run(*words)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr[-2000:]}\n{self.tyrell.log()}"
        return done.stdout + done.stderr

    def _rehearse(self, command: Command, played: Round) -> list[Write]:
        noted = add_fault(self._settings, CallFault(kind="latency", seconds=0))
        said = self.said(*command.words)
        calls = find_struck(self._settings, noted)
        clear_faults(self._settings)
        self._wanted[command.name] = self._settled(played)
        return _counted(command, [*filter(_writes, calls), *done_elsewhere(said)])

    def disturb(self, played: Round, command: Command, write: Write, trouble: Trouble) -> list[str]:
        """Run the command with that trouble, then again without; what is not as after an undisturbed run.

        A run that ended well in spite of it is not repeated.
        """
        with Load(self._url, rate=5, sockets=0) as load:
            run = Disturbed(self.tyrell, self._settings, played.stack, command, write, trouble)
            problems, well = run.suffer()
            problems += [] if run.struck else ["the fault struck nothing"]
            clear_faults(self._settings)
            problems += [] if well else self._again(command)
        problems += [str(load.report())] if load.report().failed else []
        return problems + self._left(played, command)

    def kill(self, stack: str, command: Command, write: Write, trouble: Trouble) -> None:
        """Run the command until it is killed at that write, and until nobody thinks any more that it is at work."""
        Disturbed(self.tyrell, self._settings, stack, command, write, trouble).kill()
        clear_faults(self._settings)

    def kill_after(self, played: Round, command: Command, seconds: float) -> list[str] | None:
        """Run the command, kill it after so many seconds, run it again; what is not as after an undisturbed run.

        None when it had ended before.
        """
        run = self.tyrell.begun(*command.words)
        run.wait(seconds)
        if run.ended:
            assert run.end(0).returncode == 0, run.said[-2000:]
            return None
        run.kill()
        forget_locks(played.stack)
        return self._again(command) + self._left(played, command)

    def mend(self, played: Round) -> list[str]:
        """Put back what a command has spoilt, and play the round; how the world still differs from that at its end."""
        clear_faults(self._settings)
        for words in played.mend:
            self.tyrell.run(*words)
        for command in played.commands:
            self.play(command)
        return self._left(played, played.commands[-1])

    def _again(self, command: Command) -> list[str]:
        done = self.tyrell.run(*command.words)
        said = done.stdout + done.stderr
        over = command.gone and command.gone in said
        return [] if done.returncode == 0 or over else [f"failed when it was run again: {said[-700:]}"]

    def _left(self, played: Round, command: Command) -> list[str]:
        """How the world differs from that of an undisturbed run, once that does not change any more."""
        wanted = self._wanted[command.name]
        with suppress(AssertionError):
            eventually("", lambda: not world.differences(wanted, self._look(played)), SOON)
            return []
        return world.differences(wanted, self._look(played))

    def _settled(self, played: Round) -> world.World:
        """The world once no machine comes or goes."""
        last: list[world.World] = []

        def settled() -> bool:
            last.append(self._look(played))
            return len(last) > 1 and last[-1] == last[-2]

        eventually("the world to stay as it is", settled, SOON)
        return last[-1]

    def _look(self, played: Round) -> world.World:
        seen: world.World = json.loads(json.dumps(world.look(played.stack, played.role)))
        return seen


def _writes(call: str) -> bool:
    service, _, operation = call.partition(".")
    return service in SERVICES and not operation.startswith(READS)


def _counted(command: Command, calls: list[str]) -> list[Write]:
    counts: Counter[str] = Counter()
    writes = []
    for call in calls:
        counts[call] += 1
        writes.append(Write(command.name, call, counts[call]))
    return writes
