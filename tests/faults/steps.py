"""The steps of the flows, as they are registered with Prefect, and what `steps.toml` says of them."""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from pathlib import Path

from prefect import Task
from pydantic import BaseModel, ConfigDict

import tasks

TABLE = Path(__file__).with_name("steps.toml")


class Steps(BaseModel):
    """`steps.toml`: steps that write through the AWS API with their calls, that write elsewhere, that only look."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    writes: dict[str, tuple[str, ...]]
    elsewhere: dict[str, tuple[str, ...]]
    looks: dict[str, tuple[str, ...]]

    @property
    def names(self) -> list[str]:
        """Every step that is named."""
        others = (*self.elsewhere.values(), *self.looks.values())
        return [*self.writes, *(name for group in others for name in group)]

    def making(self, call: str) -> list[str]:
        """The steps that make that call."""
        return [name for name, calls in self.writes.items() if call in calls]


def told() -> Steps:
    """The table."""
    return Steps.model_validate(tomllib.loads(TABLE.read_text()))


def registered() -> list[str]:
    """The name of every function in `tasks`, and in the packages in it, that is a Prefect task."""
    modules = [importlib.import_module(each.name) for each in pkgutil.walk_packages(tasks.__path__, "tasks.")]
    found = {value.fn for module in modules for value in vars(module).values() if isinstance(value, Task)}
    return sorted(function.__name__ for function in found)
