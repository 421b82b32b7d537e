"""However a command ends, a person reads one sentence."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
import typer
from prefect.exceptions import TerminationSignal

from tasks.errors import RolledBack, RunCancelled, UsageError
from tyrell.run import sentences


def stumbled() -> None:
    """As Prefect ends a task that SIGTERM reaches before its run is set."""
    try:
        raise TerminationSignal(signal.SIGTERM)
    finally:
        raise ValueError("Task run is not set")


def rolled_back() -> None:
    """As an upgrade ends that meets this in its middle."""
    try:
        stumbled()
    except ValueError as error:
        raise RolledBack("router green", "router blue", str(error)) from error


def cancelled() -> None:
    """As a run ends that somebody cancels in Prefect."""
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise RunCancelled("upgrade router green on prod") from None


def raised_again() -> None:
    """As Prefect raises what a task has raised: two errors are the cause of each other."""
    first, second = OSError("the disk is full"), ValueError("that is why")
    first.__cause__, second.__cause__ = second, first
    raise first


def refused() -> None:
    """As bad input ends."""
    raise UsageError("version nine of router does not exist")


@pytest.mark.parametrize(
    ("end", "said", "code"),
    [
        (stumbled, "stopped; run the same command again to go on where it was", 1),
        (rolled_back, "stopped; run the same command again to go on where it was", 1),
        (cancelled, "the run `upgrade router green on prod` was cancelled in Prefect; run the same command again", 1),
        (raised_again, "the disk is full", 1),
        (refused, "version nine of router does not exist", 2),
    ],
)
def test_an_end_is_one_sentence_and_a_code(
    end: Callable[[], None], said: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as left, sentences():
        end()
    assert capsys.readouterr().err.startswith(f"tyrell: {said}")
    assert left.value.exit_code == code
