"""Every flow that changes something can be planned, by exactly the arguments that it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from flows.apply import find_flows
from tasks.errors import UsageError
from tasks.planning.making import read_plan
from tasks.planning.planners import PLANNERS
from tests.planning.plans import plan
from tyrell.cli import app
from tyrell.plan_cli import PLANNABLE

ONLY_LOOK = {"apply", "status", "metrics-report", "reap"}
"""Flows that change nothing of a cloud themselves."""
RUN_UNPLANNED = {"apply", "metrics report"}
"""Commands that run such a flow."""


def commands(group: object = None, path: str = "") -> Iterator[tuple[str, Callable[..., object]]]:
    """Every command with the function behind it."""
    for name, each in getattr(group or get_command(app), "commands", {}).items():
        whole = f"{path} {name}".strip()
        if each.callback:
            yield whole, each.callback
        yield from commands(each, whole)


def test_every_flow_that_changes_something_has_a_planner() -> None:
    assert PLANNERS.keys() == find_flows().keys() - ONLY_LOOK


@pytest.mark.parametrize("name", PLANNERS)
def test_a_planner_takes_only_what_its_flow_takes(name: str) -> None:
    taken = inspect.signature(PLANNERS[name]).parameters.keys()
    assert taken <= inspect.signature(find_flows()[name].fn).parameters.keys()


def test_every_command_that_runs_a_flow_can_be_planned() -> None:
    running = {name for name, function in commands() if "from flows." in inspect.getsource(function)}
    assert running - RUN_UNPLANNED <= PLANNABLE
    assert {name for name, _ in commands()} >= PLANNABLE


@pytest.mark.parametrize("command", ["approve", "local", "nonsense"])
def test_a_command_that_cannot_be_planned_is_not_run(command: str) -> None:
    done = CliRunner().invoke(app, ["plan", command, "router"])
    assert done.exit_code == 2
    assert f"`{command} router` cannot be planned" in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "is no plan: all of it: Invalid JSON"),
        (b"{}", "is no plan: flow: Field required"),
        (plan().model_dump_json().replace('"least":"PT1M"', '"least":"soon"').encode(), "draft.steps.0.least"),
    ],
)
def test_a_broken_file_is_told_in_one_sentence(tmp_path: Path, text: bytes, sentence: str) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(text)
    with pytest.raises(UsageError, match=sentence):
        read_plan(file)


def test_a_missing_file_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_plan(tmp_path / "nothing.json")
