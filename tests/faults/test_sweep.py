"""What a run that was killed has left is shown, and swept away or finished."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.cells import SOON, Stage
from tests.faults.rounds import COMMANDS, NEW, OLD, ON_STACK, STACK
from tests.faults.troubles import Trouble, Write
from tests.waiting import eventually

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

RETIRE = COMMANDS["retire router"]


@pytest.fixture
def deployed(theatre: Stage) -> Iterator[Stage]:
    """A version beside the live one; afterwards it is gone."""
    theatre.play(COMMANDS["deploy router"])
    yield theatre
    theatre.play(RETIRE)


@pytest.mark.parametrize("call", ["cloudformation.CreateStack", "autoscaling.UpdateAutoScalingGroup"])
def test_a_version_whose_run_was_killed_is_shown_and_swept(theatre: Stage, call: str) -> None:
    theatre.kill(STACK, COMMANDS["deploy router"], Write("deploy router", call, 1), Trouble.killed_after)

    assert _json(theatre, "sweep", STACK) == [], "it may still be at work"
    (orphan,) = eventually("the orphan", lambda: _json(theatre, "sweep", STACK, "--after", "0"), SOON)
    assert orphan["version"] == {"stack": STACK, "role": "router", "id": NEW}
    assert f"deploy router {NEW} to {STACK}" in orphan["why"]

    assert f"deleted stack {STACK}-router-{NEW}" in theatre.said("sweep", STACK, "--after", "0", "--yes")
    assert _json(theatre, "sweep", STACK, "--after", "0") == []
    assert [row["version"] for row in _json(theatre, "versions", "router", *ON_STACK)] == [OLD]


def test_a_version_that_was_deployed_as_it_should_be_is_not_swept(deployed: Stage) -> None:
    assert "nothing changed" in deployed.said("sweep", STACK, "--after", "0", "--yes")
    assert "nothing was left behind" in deployed.said("sweep", STACK, "--after", "0")


def test_status_tells_of_an_upgrade_whose_process_died_until_it_is_finished(deployed: Stage) -> None:
    upgrade = COMMANDS["upgrade router"]
    half_way = Write(upgrade.name, "elbv2.ModifyRule", 2)
    deployed.kill(STACK, upgrade, half_way, Trouble.killed_before)
    problems = _problems(deployed)
    assert f"`tyrell upgrade router --to {NEW}` goes on with it, `tyrell rollback router` goes back" in problems

    deployed.play(upgrade)
    assert not _problems(deployed)
    deployed.play(COMMANDS["roll router back"])


def _json(theatre: Stage, *words: str) -> Any:
    return json.loads(theatre.said(*words, "--json"))


def _problems(theatre: Stage) -> str:
    """What `tyrell status` says of the router's versions."""
    rows = _json(theatre, "status", STACK)["rows"]
    return " ".join(problem for row in rows if row["role"] == "router" for problem in row["problems"])
