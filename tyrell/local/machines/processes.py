"""Child processes that outlive nobody: each in its own session, killed by the kernel when the cloud's process dies."""

from __future__ import annotations

import asyncio
import codecs
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from select import select

from tyrell.local.settings import Settings

MARKER = "TYRELL_CLOUD_HOME"
"""Environment variable: set for every process of an embedded cloud, the cloud's home."""

INSTANCE = "INSTANCE_ID"
"""Environment variable of every process of a machine; its value is the instance's id."""

DIES_WITH_ITS_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
"""The kernel signals when the *thread* that started the process ends (prctl(2), PR_SET_PDEATHSIG), so one long-lived
thread, the event loop's, starts them all. The wrapper replaces itself by the program: 0.5 ms."""

OUTPUT_GRACE_SECONDS = 1.0


class Process:
    """A running child. Start it in a running event loop; `wait` for it or `stop` it, from any task, many times."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], folder: Path, on_line: Callable[[str], None]
    ) -> None:
        """Start `argv` in `folder` with exactly `environment`; `on_line` gets each line it prints. Raises OSError."""
        self._loop = asyncio.get_running_loop()
        self._on_line = on_line
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._partial_line = ""
        self._popen = subprocess.Popen(
            [*DIES_WITH_ITS_PARENT, *argv],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._popen.pid
        self._output = self._popen.stdout.fileno() if self._popen.stdout else -1
        os.set_blocking(self._output, False)
        self._loop.add_reader(self._output, self._read_output)
        self._output_ended = asyncio.Event()
        self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(self._pidfd, self._reap)
        self._exited = self._loop.create_future()

    async def wait(self) -> int:
        """Its exit status once it has ended and said all it had to say; -N when signal N killed it."""
        status: int = await asyncio.shield(self._exited)
        with suppress(TimeoutError):  # somebody who left the session may still hold the pipe
            # Not by `wait_for`: before Python 3.12 it forgets a cancellation that comes just as what it waits for ends.
            async with asyncio.timeout(OUTPUT_GRACE_SECONDS):
                await self._output_ended.wait()
        return status

    async def stop(self, with_signal: signal.Signals, within_seconds: float) -> None:
        """Signal the whole group and return when it is gone; whoever stays longer than `within_seconds` is killed."""
        self._signal_group(with_signal)
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await asyncio.shield(self._exited)
        self._signal_group(signal.SIGKILL)
        await self.wait()

    def _signal_group(self, number: signal.Signals) -> None:
        if not self._exited.done():  # until it is reaped, nobody else can have its number
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _reap(self) -> None:
        """The leader has ended: its children end too, as in a systemd unit (KillMode=control-group)."""
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._exited.set_result(self._popen.wait())

    def _read_output(self) -> None:
        chunk = os.read(self._output, 65536)
        *lines, self._partial_line = (self._partial_line + self._decoder.decode(chunk)).split("\n")
        if not chunk and self._partial_line:
            lines.append(self._partial_line)
        for line in lines:
            self._on_line(line)
        if not chunk:
            self._loop.remove_reader(self._output)
            if self._popen.stdout:
                self._popen.stdout.close()
            self._output_ended.set()


def sweep(settings: Settings) -> int:
    """Kill every process of this user that belongs to the cloud at `settings.home`; how many there were.

    For what a crashed cloud may have left: grandchildren, which the kernel does not kill with it.
    """
    killed: set[int] = set()
    while marked := _marked(f"{MARKER}={settings.home.absolute()}".encode()) - killed:
        for pid in marked:
            with suppress(ProcessLookupError):
                pidfd = os.pidfd_open(pid)
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                select([pidfd], [], [], OUTPUT_GRACE_SECONDS)
                os.close(pidfd)
        killed |= marked
    return len(killed)


def signal_machine(instance_id: str, number: signal.Signals) -> None:
    """Signal every process of this user that belongs to an instance."""
    for pid in _marked(f"{INSTANCE}={instance_id}".encode()):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _marked(assignment: bytes) -> set[int]:
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, or another user's
            if assignment in (folder / "environ").read_bytes().split(b"\0"):
                found.add(int(folder.name))
    return found - {os.getpid()}
