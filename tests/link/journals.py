"""Real journals for the tests: systemd's own program writes them, from systemd's export format."""

from __future__ import annotations

import os
import struct
import subprocess
import time
from pathlib import Path

from tyrell.local.debian import find_program

BOOT = "1" * 32


class JournalWriter:
    """Writes a journal into `folder`, as journald would. Raises NotToBeHad without Debian's package."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = find_program("systemd-journal-remote", "lib/systemd/systemd-journal-remote")
        self._libraries = find_program("libmicrohttpd12", "usr/lib/x86_64-linux-gnu/libmicrohttpd.so.12").parent
        self._last = int(time.time() * 1_000_000) - 3600 * 1_000_000

    def say(self, *messages: str | bytes, unit: str = "link-router.service", **fields: str) -> None:
        """One entry for each message, each a millisecond after the one before."""
        entries = b"".join(self._entry(message, {"_SYSTEMD_UNIT": unit, **fields}) for message in messages)
        done = subprocess.run(
            [str(self._program), "-o", str(self._folder / "system.journal"), "-"],
            env={**os.environ, "LD_LIBRARY_PATH": str(self._libraries)},
            input=entries,
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()

    def _entry(self, message: str | bytes, fields: dict[str, str]) -> bytes:
        self._last += 1000
        known = {"__REALTIME_TIMESTAMP": str(self._last), "_BOOT_ID": BOOT, **fields}
        lines = "".join(f"{name}={value}\n" for name, value in known.items() if value)
        said = message.encode() if isinstance(message, str) else message
        return lines.encode() + b"MESSAGE\n" + struct.pack("<Q", len(said)) + said + b"\n\n"
