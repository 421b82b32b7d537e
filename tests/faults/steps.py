"""The steps of the flows, as they are registered with Prefect, and what `steps.toml` says of them."""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

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
        """The steps that make that call; of a step that writes elsewhere, `etcd.take_lock`, the step."""
        system, _, step = call.partition(".")
        if step in self.elsewhere.get(system, ()):
            return [step]
        return [name for name, calls in self.writes.items() if call in calls]


@cache
def told() -> Steps:
    """The table."""
    return Steps.model_validate(tomllib.loads(TABLE.read_text()))


def registered() -> list[str]:
    """The name of every function in `tasks`, and in the packages in it, that is a Prefect task."""
    return sorted(task.fn.__name__ for task in find_tasks())


def find_tasks() -> list[Task[..., Any]]:
    """These tasks, each once."""
    modules = [importlib.import_module(each.name) for each in pkgutil.walk_packages(tasks.__path__, "tasks.")]
    found = {value.fn: value for module in modules for value in vars(module).values() if isinstance(value, Task)}
    return list(found.values())


def done_elsewhere(said: str) -> list[str]:
    """The steps that write elsewhere and that a run says to have done, in order: `etcd.take_lock` and so on."""
    names = re.findall(r"^ *completed  (.*) \([\d.]+ s\)$", said, re.MULTILINE)
    return [step for name in names for step, called in _elsewhere().items() if re.fullmatch(called, name)]


@cache
def _elsewhere() -> dict[str, str]:
    """What the runs of these steps are called."""
    names = {task.fn.__name__: str(task.task_run_name) for task in find_tasks()}
    return {f"{system}.{step}": _pattern(names[step]) for system, steps in told().elsewhere.items() for step in steps}


def _pattern(template: str) -> str:
    parts = string.Formatter().parse(template)
    return "".join(re.escape(text) + (".+" if field else "") for text, field, _, _ in parts)
