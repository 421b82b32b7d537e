"""A run of a command that meets a trouble at one of its writes."""

from __future__ import annotations

from contextlib import suppress

from tasks.core_services import find_etcd
from tasks.errors import EtcdUnreachable
from tasks.locks import find_locks
from tests.faults.prefect_server import cancel_what_runs
from tests.faults.rounds import Command
from tests.faults.troubles import SURVIVED, Trouble, Write
from tests.flows.embedded import Tyrell
from tests.waiting import eventually
from tyrell.local.faults.remote import add_fault, find_struck
from tyrell.local.settings import Settings

LONGEST = 180.0
PATIENCE_OF_A_PERSON = 15.0
"""After so long he presses Ctrl-C, when a machine does not get healthy."""

TOLD = {Trouble.cancelled: "cancelled in Prefect", Trouble.terminated: "run the same command again"}
"""What a run says that was told to end."""


class Disturbed:
    """It runs from now on."""

    def __init__(
        self, tyrell: Tyrell, settings: Settings, stack: str, command: Command, write: Write, trouble: Trouble
    ) -> None:
        self._settings = settings
        self._stack = stack
        self._write = write
        self._trouble = trouble
        self._seen = False
        self._given = None if write.of_step else add_fault(settings, write.fault(trouble))
        self._run = tyrell.begun(*command.words)

    @property
    def struck(self) -> bool:
        """Whether the trouble came: the call was made, or the step was done."""
        return bool(find_struck(self._settings, self._given)) if self._given else self._seen

    def kill(self) -> None:
        """Kill it at that write; nobody thinks any more that it is at work."""
        self._await_write()
        self._run.kill()
        forget_locks(self._stack)

    def suffer(self) -> tuple[list[str], bool]:
        """Let it happen; what was not right, and whether the run ended well."""
        code = self._meet()
        if code is None:
            return [], False
        well, all_said = code == 0, self._run.said
        said = all_said[-500:]
        if self._trouble in SURVIVED and not well:
            return [f"the run failed: {said}"], False
        if self._trouble is Trouble.denied and (well or "AccessDenied" not in all_said):
            return [f"did not say why it failed: {said}"], well
        if not well and TOLD.get(self._trouble, "") not in all_said:
            return [f"did not say what to do: {said}"], False
        return ([f"broke: {said}"] if "Traceback" in all_said else []), well

    def _meet(self) -> int | None:
        """Its exit code; None when it was killed."""
        match self._trouble:
            case Trouble.killed_before | Trouble.killed_after:
                self.kill()
                return None
            case Trouble.terminated:
                self._await_write()
                self._run.terminate()
            case Trouble.cancelled:
                self._await_write()
                cancel_what_runs()
            case Trouble.lock_lost:
                self._await_write()
                forget_locks(self._stack)
            case _ if self._write.of_step:
                self._await_write()
                add_fault(self._settings, self._write.fault(self._trouble))
            case Trouble.never_healthy | Trouble.flapping:
                return self._run.end(PATIENCE_OF_A_PERSON, then=self._run.terminate).returncode
        return self._run.end(LONGEST).returncode

    def _await_write(self) -> None:
        eventually("the write", lambda: self._come() or self._run.ended, LONGEST)

    def _come(self) -> bool:
        self._seen = self.struck or self._write.is_done_in(self._run.said)
        return self._seen


def forget_locks(stack: str) -> None:
    """End every lock of the stack, as it ends by itself 20 s after its holder's last word."""
    with suppress(EtcdUnreachable):
        for lock in find_locks(stack):
            find_etcd(stack).revoke(lock.lease)
