"""The journal of this machine, read by systemd's own journalctl. What is not sent yet waits there: journald bounds it.

https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

MOST_ENTRIES, MOST_BYTES = 1000, 1 << 20
"""Of one batch. Loki takes 4 MiB at once: https://grafana.com/docs/loki/v3.2.x/configure/#server"""
LONGEST = 1 << 20
"""Bytes of an entry; a longer one is left out."""
FIRST = "--since=-1d"
"""Where to begin on a machine that has never sent anything."""
FIELDS = ("MESSAGE", "UNIT", "_SYSTEMD_UNIT")
"""The second is the unit that systemd speaks of, the third the one that speaks: systemd.journal-fields(7)."""
SYSTEM = "system"
"""The unit of all that is no service, such as the kernel and sessions: a name for each would be too many labels."""


class JournalUnreadable(Exception):
    """The journal cannot be read; the text is one sentence."""


@dataclass(frozen=True)
class Entry:
    """What was said at `time`, nanoseconds since 1970, by a service; `cursor` is its place in the journal."""

    cursor: str
    time: int
    unit: str
    line: str


@dataclass(frozen=True)
class Batch:
    """Entries in their order, and whether there are more."""

    entries: tuple[Entry, ...]
    more: bool


class Journal:
    """The journal in `folder`, and in the file `bookmark` up to where it was sent."""

    def __init__(self, folder: Path, bookmark: Path) -> None:
        self._folder = folder
        self._bookmark = bookmark

    def read(self) -> Batch:
        """What comes next after the bookmark. Raises `JournalUnreadable`."""
        cursor = self._bookmark.read_text() if self._bookmark.exists() else ""
        command = ["journalctl", f"--directory={self._folder}", "--output=json", "--all", "--quiet", "--no-pager"]
        command += [f"--output-fields={','.join(FIELDS)}", f"--after-cursor={cursor}" if cursor else FIRST]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as journalctl:
            batch = _batch(cast("IO[bytes]", journalctl.stdout))
            if batch.more:
                journalctl.terminate()
                return batch
            _, said = journalctl.communicate()
        if journalctl.returncode:
            reason = said.decode(errors="replace").strip().partition("\n")[0]
            raise JournalUnreadable(f"journalctl ends with {journalctl.returncode}: {reason or 'nothing'}")
        return batch

    def mark(self, entry: Entry) -> None:
        """Go on after this entry the next time, whatever happens to this process."""
        written = self._bookmark.with_suffix(".new")
        written.write_text(entry.cursor)
        written.replace(self._bookmark)


def _batch(output: IO[bytes]) -> Batch:
    entries, size = [], 0
    for entry in _entries(output):
        entries.append(entry)
        size += len(entry.line)
        if len(entries) == MOST_ENTRIES or size >= MOST_BYTES:
            return Batch(tuple(entries), more=True)
    return Batch(tuple(entries), more=False)


def _entries(output: IO[bytes]) -> Iterator[Entry]:
    """An entry that is too long comes in pieces, none of which can be read."""
    while piece := output.readline(LONGEST):
        try:
            found = json.loads(piece)
            yield Entry(
                cursor=found["__CURSOR"],
                time=int(found["__REALTIME_TIMESTAMP"]) * 1000,
                unit=_service(found),
                line=_text(found.get("MESSAGE")),
            )
        except (ValueError, TypeError, KeyError):
            continue


def _service(found: dict[str, Any]) -> str:
    unit = _text(found.get("UNIT")) or _text(found.get("_SYSTEMD_UNIT"))
    return unit if unit.endswith(".service") else SYSTEM


def _text(value: Any) -> str:
    """A field: text, or its bytes as numbers when it is none; a list of these when it is there more than once."""
    if isinstance(value, list) and value and isinstance(value[0], int):
        return bytes(value).decode(errors="replace")
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    return value or ""
