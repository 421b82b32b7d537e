"""`stack_statuses.toml`: what is done with a CloudFormation stack in each of its statuses."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from tasks.model import Noun

Action = Literal["wait", "create", "update", "remake", "refuse"]


class Statuses(Noun):
    """The statuses by what is done with a stack in them; for those that are refused, what a person has to do."""

    wait: frozenset[str]
    create: frozenset[str]
    update: frozenset[str]
    remake: frozenset[str]
    refuse: dict[str, str]

    def action(self, status: str) -> Action:
        """What to do with a stack in that status; one that AWS has invented since is refused."""
        if status in self.wait:
            return "wait"
        if status in self.create:
            return "create"
        if status in self.update:
            return "update"
        return "remake" if status in self.remake else "refuse"


@cache
def statuses() -> Statuses:
    """The table."""
    return Statuses.model_validate(tomllib.loads(Path(__file__).with_suffix(".toml").read_text()))
