"""`tyrell` commands as processes that need not load everything again: each is forked from one that has.

They are processes like any other: a kill ends one of them, whatever it does, and nobody else.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, send_fds, socket
from subprocess import CompletedProcess

LONGEST_NUMBER = 20


class Command:
    """A command that runs."""

    def __init__(self, words: tuple[str, ...], address: Path) -> None:
        """Runs from now on, forked by the server at `address`, in this process's folder."""
        self._words = words
        self._said = [tempfile.TemporaryFile(prefix="tyrell-command-") for _ in ("output", "errors")]  # noqa: SIM115
        self._server = socket(AF_UNIX, SOCK_SEQPACKET)
        self._server.connect(str(address))
        wanted = json.dumps({"words": words, "folder": os.getcwd()}).encode()  # noqa: PTH109  as the server takes it
        send_fds(self._server, [wanted], [file.fileno() for file in self._said])
        self._pid = int(self._server.recv(LONGEST_NUMBER))
        self._code: int | None = None

    @property
    def ended(self) -> bool:
        """Whether it has."""
        self.wait(0)
        return self._code is not None

    @property
    def output(self) -> str:
        """What it has written to standard output so far."""
        return self._read(0)

    @property
    def said(self) -> str:
        """All that it has said so far: standard output, then standard error."""
        return self._read(0) + self._read(1)

    def _read(self, number: int) -> str:
        descriptor = self._said[number].fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()

    def wait(self, seconds: float) -> None:
        """Let it run for so long, or until it has ended."""
        if self._code is not None:
            return
        self._server.settimeout(seconds)
        with suppress(TimeoutError, BlockingIOError):
            self._code = int(self._server.recv(LONGEST_NUMBER))

    def terminate(self) -> None:
        """SIGTERM."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL; it is gone when this returns."""
        self._send(signal.SIGKILL)
        self._server.settimeout(None)
        if self._code is None:
            self._code = int(self._server.recv(LONGEST_NUMBER))

    def _send(self, number: signal.Signals) -> None:
        if not self.ended:
            os.kill(self._pid, number)

    def end(self, timeout: float, then: Callable[[], None] | None = None) -> CompletedProcess[str]:
        """How it ended and what it said; after `timeout` seconds `then` has to end it.

        Raises AssertionError, and kills it, when it goes on.
        """
        self.wait(timeout)
        if not self.ended and then:
            then()
            self.wait(timeout)
        if self._code is None:
            self.kill()
            raise AssertionError(f"not within {timeout:g} s: {' '.join(self._words)}\n{self.said[-2000:]}")
        return CompletedProcess(self._words, self._code, self._read(0), self._read(1))


class Server:
    """The process that has loaded what every command loads, in the environment of one cloud."""

    def __init__(self, environment: dict[str, str]) -> None:
        """Returns when it has; runs until `close`, or until this process ends."""
        self._folder = Path(tempfile.mkdtemp(prefix="tyrell-commands-"))
        self._address = self._folder / "socket"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.loaded", str(self._address)],
            env=environment,
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us
        )
        assert self._process.stdout
        assert self._process.stdout.readline(), "what every command loads could not be loaded"

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def run(self, words: tuple[str, ...]) -> Command:
        """Start that command of `tyrell`."""
        return Command(words, self._address)

    def close(self) -> None:
        """End it; commands that run go on."""
        self._process.communicate()
        shutil.rmtree(self._folder)
