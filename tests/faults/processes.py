"""`tyrell` commands as processes that need not load everything again: each is forked from one that has.

They are processes like any other: a kill ends one of them, whatever it does, and nobody else.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from subprocess import CompletedProcess

PRELOADED = "tests.faults.preloaded"

_context = get_context("forkserver")


def _become(words: tuple[str, ...], output: str) -> None:
    descriptor = os.open(output, os.O_WRONLY)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    from tyrell.cli import main  # noqa: PLC0415  loaded already

    sys.argv = ["tyrell", *words]
    main()


class Run:
    """A command that runs."""

    def __init__(self, words: tuple[str, ...]) -> None:
        """Runs from now on, in the environment that this process had at its first command."""
        self._words = words
        self._output = Path(tempfile.mkstemp(prefix="tyrell-command-")[1])
        _context.set_forkserver_preload([PRELOADED])
        self._process = _context.Process(target=_become, args=(words, str(self._output)), daemon=True)
        self._process.start()

    @property
    def ended(self) -> bool:
        """Whether it has."""
        return self._process.exitcode is not None

    @property
    def said(self) -> str:
        """All that it has said so far."""
        return self._output.read_text()

    def wait(self, seconds: float) -> None:
        """Let it run for so long, or until it has ended."""
        self._process.join(seconds)

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL; it is gone when this returns."""
        self._process.kill()
        self._process.join()
        self._output.unlink()

    def end(self, timeout: float, then: Callable[[], None] | None = None) -> CompletedProcess[str]:
        """How it ended, all that it said as its standard output; after `timeout` seconds `then` has to end it.

        Raises AssertionError, and kills it, when it goes on.
        """
        self._process.join(timeout)
        if not self.ended and then:
            then()
            self._process.join(timeout)
        said, code = self._output.read_text(), self._process.exitcode
        if code is None:
            self.kill()
            raise AssertionError(f"not within {timeout:g} s: {' '.join(self._words)}\n{said[-2000:]}")
        self._output.unlink()
        return CompletedProcess(self._words, code, said)
