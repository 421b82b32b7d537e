"""What Packer says with `-machine-readable`: passed on line by line, and read for why it failed.

Source: https://developer.hashicorp.com/packer/docs/commands#machine-readable-output
"""

from __future__ import annotations

import logging
import re
from collections import deque
from typing import NamedTuple

logger = logging.getLogger(__name__)

LAST_ERRORS = 5
_ESCAPES = {"%!(PACKER_COMMA)": ",", r"\n": "\n", r"\r": "\r"}
_PREFIX = re.compile(r"^(==> |--> |    )([\w-]+\.[\w-]+: ?)?")
_NOISE = ("Build '", "Some builds didn't complete", "Script exited", "Provisioning step had errors", "Builds finished")
"""How Packer says that it failed, not why."""


class Record(NamedTuple):
    """One line: `target` is the build it is about, empty for all of them."""

    target: str
    type: str
    data: tuple[str, ...]


def parse(line: str) -> Record | None:
    """The record in a line of output; None for a line that is none."""
    fields = line.rstrip("\n").split(",")
    if len(fields) < 3 or not fields[0].isdigit():
        return None
    return Record(fields[1], fields[2], tuple(map(_unescape, fields[3:])))


def _unescape(text: str) -> str:
    for escaped, character in _ESCAPES.items():
        text = text.replace(escaped, character)
    return text


class PackerLog:
    """Follows one run of Packer."""

    def __init__(self) -> None:
        self._errors: deque[str] = deque(maxlen=LAST_ERRORS)
        self._end = ""

    def read(self, line: str) -> None:
        """Log a line, and remember it when it is an error."""
        record = parse(line)
        if record is None:
            if line.strip():
                logger.info("%s", line.strip())
        elif record.type == "ui" and len(record.data) > 1:
            lines = (_PREFIX.sub("", line).strip() for line in record.data[1].splitlines())
            self._say(record.data[0], " ".join(filter(None, lines)))
        elif record.type == "error":
            self._end = " ".join(" ".join(record.data).split())

    def _say(self, kind: str, text: str) -> None:
        if not text:
            return
        if kind != "error":
            logger.info("%s", text)
            return
        logger.warning("%s", text)
        if not text.startswith(_NOISE) and text not in self._errors:
            self._errors.append(text)

    @property
    def failure(self) -> str:
        """Why it failed, in Packer's own last words."""
        return " | ".join(self._errors) or self._end or "it said nothing"
