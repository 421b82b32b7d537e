"""One cell of the fault matrix: a command, one of its writes, and what goes wrong there."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from functools import partial
from subprocess import CompletedProcess

from tasks.core_services import find_etcd
from tasks.errors import EtcdUnreachable
from tasks.locks import find_locks
from tests.faults import world
from tests.faults.prefect_server import standing_still
from tests.faults.processes import Run
from tests.faults.rounds import Command, Round
from tests.faults.troubles import SURVIVED, Trouble, Write
from tests.flows.embedded import Tyrell
from tests.flows.load import Load
from tests.waiting import eventually
from tyrell.local.faults.calls import READS
from tyrell.local.faults.model import CallFault, Given
from tyrell.local.faults.remote import add_fault, clear_faults, find_faults
from tyrell.local.settings import Settings

SERVICES = ("cloudformation", "autoscaling", "elbv2")
"""Whose writes are disturbed."""

LONGEST, SOON = 180.0, 30.0
PATIENCE_OF_A_PERSON = 15.0
"""After so long he presses Ctrl-C, when a machine does not get healthy."""


class Stage:
    """A stack on an embedded cloud, on which commands are disturbed one after the other."""

    def __init__(self, tyrell: Tyrell, settings: Settings, url: str) -> None:
        self.tyrell = tyrell
        self._settings = settings
        self._url = url
        self._wanted: dict[str, world.World] = {}

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
        done = Run(words).end(LONGEST)
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}\n{self.tyrell.log()}"
        return str(done.stdout)

    def _rehearse(self, command: Command, played: Round) -> list[Write]:
        noted = add_fault(self._settings, CallFault(kind="latency", seconds=0))
        self.play(command)
        calls = self._struck(noted)
        clear_faults(self._settings)
        self._wanted[command.name] = self._settled(played)
        counts: Counter[str] = Counter()
        writes = []
        for call in calls:
            service, _, operation = call.partition(".")
            if service in SERVICES and not operation.startswith(READS):
                counts[call] += 1
                writes.append(Write(command.name, call, counts[call]))
        return writes

    def disturb(self, played: Round, command: Command, write: Write, trouble: Trouble) -> list[str]:
        """Run the command with that trouble, then again without; what is not as after an undisturbed run.

        A run that ended well in spite of it is not repeated.
        """
        given = add_fault(self._settings, write.fault(trouble))
        with Load(self._url, rate=5, sockets=0) as load:
            problems, well = self._suffer(played, command, trouble, given)
            struck = self._struck(given)
            clear_faults(self._settings)
            problems += [] if well else self._again(command)
        problems += [] if struck else ["the fault struck nothing"]
        problems += [str(load.report())] if load.report().failed else []
        return problems + self._left(played, command)

    def kill(self, stack: str, command: Command, write: Write, trouble: Trouble) -> None:
        """Run the command until it is killed at that write, and until nobody thinks any more that it is at work."""
        given = add_fault(self._settings, write.fault(trouble))
        self._kill(stack, Run(command.words), given)
        clear_faults(self._settings)

    def kill_after(self, played: Round, command: Command, seconds: float) -> list[str] | None:
        """Run the command, kill it after so many seconds, run it again; what is not as after an undisturbed run.

        None when it had ended before.
        """
        run = Run(command.words)
        run.wait(seconds)
        if run.ended:
            done = run.end(0)
            assert done.returncode == 0, done.stdout[-2000:]
            return None
        run.kill()
        self._forget_locks(played.stack)
        return self._again(command) + self._left(played, command)

    def mend(self, played: Round) -> list[str]:
        """Put back what a command has spoilt, and play the round; how the world still differs from that at its end."""
        clear_faults(self._settings)
        for words in played.mend:
            Run(words).end(LONGEST)
        for command in played.commands:
            self.play(command)
        return self._left(played, played.commands[-1])

    def _suffer(self, played: Round, command: Command, trouble: Trouble, given: Given) -> tuple[list[str], bool]:
        """Run the command while the fault is on; what was not right, and whether it ended well."""
        run = Run(command.words)
        done = self._meet(played, run, trouble, given)
        if done is None:
            return [], False
        well, said = done.returncode == 0, done.stdout[-500:]
        if trouble in SURVIVED and not well:
            return [f"the run failed: {said}"], False
        if trouble is Trouble.denied and (well or "AccessDenied" not in done.stdout):
            return [f"did not say why it failed: {said}"], well
        if trouble is Trouble.terminated and not well and "run the same command again" not in done.stdout:
            return [f"did not say what to do: {said}"], False
        return ([f"broke: {said}"] if "Traceback" in done.stdout else []), well

    def _meet(self, played: Round, run: Run, trouble: Trouble, given: Given) -> CompletedProcess[str] | None:
        """What happens to the run; how it ended, None when it was killed."""
        at_the_call = partial(self._await_call, run, given)
        match trouble:
            case Trouble.killed_before | Trouble.killed_after:
                self._kill(played.stack, run, given)
                return None
            case Trouble.terminated:
                at_the_call()
                run.terminate()
            case Trouble.lock_lost:
                at_the_call()
                self._forget_locks(played.stack)
            case Trouble.prefect_gone:
                at_the_call()
                with standing_still(self._settings):
                    pass
            case Trouble.never_healthy | Trouble.flapping:
                return run.end(PATIENCE_OF_A_PERSON, then=run.terminate)
        return run.end(LONGEST)

    def _kill(self, stack: str, run: Run, given: Given) -> None:
        self._await_call(run, given)
        run.kill()
        self._forget_locks(stack)

    def _await_call(self, run: Run, given: Given) -> None:
        eventually("the call", lambda: run.ended or self._struck(given), LONGEST)

    def _again(self, command: Command) -> list[str]:
        done = Run(command.words).end(LONGEST)
        over = command.gone and command.gone in done.stdout
        return [] if done.returncode == 0 or over else [f"failed when it was run again: {done.stdout[-700:]}"]

    def _forget_locks(self, stack: str) -> None:
        """End every lock of the stack, as it ends by itself 20 s after its holder's last word."""
        with suppress(EtcdUnreachable):
            for lock in find_locks(stack):
                find_etcd(stack).revoke(lock.lease)

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

    def _struck(self, given: Given) -> tuple[str, ...]:
        return next((each.struck for each in find_faults(self._settings) if each.id == given.id), ())
