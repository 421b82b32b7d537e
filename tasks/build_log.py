"""The log of a build as the Docker Engine sends it: passed on line by line, and read for what came out.

Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Image/operation/ImageBuild
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Iterable
from textwrap import shorten
from typing import Any

from tasks.errors import TyrellError

logger = logging.getLogger(__name__)

LAST_LINES, LONGEST_LINE = 5, 200
_STEP = re.compile(r"Step (\d+/\d+) : (.*)")
_MADE = re.compile(r" ---> ([0-9a-f]{12})")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class BuildLog:
    """Follows one build. `made` are the ids of the images it made itself, step by step: not the cached ones."""

    def __init__(self, role: str) -> None:
        self.made: list[str] = []
        self._role = role
        self._step = "before the first step"
        self._said: deque[str] = deque(maxlen=LAST_LINES)
        self._found = False
        """Whether the image of this step was there before: a base image, or a cached one."""
        self._rest = ""

    def follow(self, messages: Iterable[dict[str, Any]]) -> None:
        """Log every line until the build is over. Raises TyrellError with the failing step and its last lines."""
        for message in messages:
            if "error" in message:
                raise TyrellError(self._failure(str(message["error"])))
            *lines, self._rest = (self._rest + message.get("stream", "")).split("\n")
            for line in lines:
                self._read(_COLOURS.sub("", line).rstrip())

    def _read(self, line: str) -> None:
        if not line:
            return
        logger.info("%s: %s", self._role, line)
        if step := _STEP.match(line):
            self._step = f"step {step[1]} `{step[2]}`"
            self._said.clear()
            self._found = step[2].upper().startswith("FROM ")
        elif image := _MADE.fullmatch(line):
            self.made += [] if self._found else [image[1]]
        elif line == " ---> Using cache":
            self._found = True
        elif not line.startswith((" ---> ", "Removing intermediate container")):
            self._said.append(shorten(line, LONGEST_LINE))

    def _failure(self, error: str) -> str:
        said = f"; it said: {' | '.join(self._said)}" if self._said else ""
        return f"the image of {self._role} cannot be built, {self._step} failed: {' '.join(error.split())}{said}"
