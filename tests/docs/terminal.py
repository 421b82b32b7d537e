"""A shell that goes on from command to command, as the reader's does: variables and background jobs stay."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.waiting import eventually

LONGEST = 240.0
"""Seconds that one command may take."""

END = "--- end of a command, exit code"


class Terminal:
    """A shell in a folder; it ends with the context."""

    def __init__(self, folder: Path, environment: Mapping[str, str], record: Path) -> None:
        self._record = record
        with record.open("w") as output:
            self._shell = subprocess.Popen(
                ["bash"],
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                bufsize=1,
            )

    def __enter__(self) -> Terminal:
        """The shell, which waits for commands."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the shell and what it still has in the background."""
        assert self._shell.stdin
        self._shell.stdin.write("kill $(jobs -p) 2>/dev/null; exit\n")
        self._shell.stdin.close()
        self._shell.wait(10)

    def run(self, command: str) -> tuple[str, int]:
        """What the command printed, on both of its outputs, and its exit code, which the next one sees as `$?`."""
        assert self._shell.stdin
        before = len(self._record.read_text())
        self._shell.stdin.write(f"{{ {command}\n}} </dev/null\ncode=$?; printf '\\n{END} %s\\n' $code; (exit $code)\n")

        def printed() -> str:
            return self._record.read_text()[before:]

        def ended() -> str:
            text = printed()
            return text if END in text and text.endswith("\n") else ""

        output, _, code = eventually(f"{command} ends", ended, LONGEST).rpartition(END)
        return output.strip("\n"), int(code)
