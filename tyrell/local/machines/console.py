"""A machine's console output: one text file that keeps the end of what was said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

KEPT_BYTES = 1_000_000
ANSWERED_BYTES = 64 * 1024
"""GetConsoleOutput answers at most the last 64 KB.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
"""


class Console:
    """Appends lines to a file, each with its time and who said it; halves the file when it grows too long."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def write(self, source: str, text: str) -> None:
        """Append `text`, one console line per line of it, said by `source` (a unit's name, "cloud-init", ...)."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines = "".join(f"{now} {source}: {line}\n" for line in text.splitlines())
        self._file.write(lines.encode(errors="replace"))
        if self._file.tell() > KEPT_BYTES:
            self._forget_the_beginning()

    def close(self) -> None:
        """No more lines."""
        self._file.close()

    def _forget_the_beginning(self) -> None:
        kept = read_tail(self._path, KEPT_BYTES // 2)
        self._file.close()
        shorter = self._path.with_suffix(".new")
        shorter.write_bytes(kept)
        shorter.replace(self._path)
        self._file = self._path.open("ab", buffering=0)


def read_tail(path: Path, size: int = ANSWERED_BYTES) -> bytes:
    """The last whole lines of a file, at most `size` bytes; nothing when the file does not exist."""
    try:
        with path.open("rb") as file:
            start = max(0, file.seek(0, 2) - size)
            file.seek(start)
            tail = file.read()
    except FileNotFoundError:
        return b""
    return tail.partition(b"\n")[2] if start else tail
