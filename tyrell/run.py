"""Running one command: the flow behind a live view, every error as one sentence and an exit code."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import typer
from rich.console import Console
from rich.markup import escape

from tasks.errors import RunCancelled, TyrellError, Unfinished, UsageError
from tyrell.planning import end_with_plan, is_planned
from tyrell.signals import was_told_to_end

if TYPE_CHECKING:
    from prefect import Flow

T = TypeVar("T")
FAILED, USAGE = 1, 2
SENDING_SECONDS = 10

out = Console()
notes = Console(stderr=True)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn every error into one sentence on standard error: exit code 2 for bad input, 1 for what failed."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        _leave("stopped; run the same command again to go on where it was", FAILED)
    except Exception as error:
        _leave(*explain(error))


def _leave(sentence: str, code: int) -> None:
    notes.print(f"[bold red]tyrell:[/] {escape(sentence)}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def explain(error: BaseException) -> tuple[str, int]:  # noqa: PLR0911  one sentence for each kind
    """The sentence for an error, and the exit code."""
    from botocore.exceptions import (  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        NoCredentialsError,
        NoRegionError,
    )
    from pydantic import ValidationError  # noqa: PLC0415

    match error:
        case UsageError():
            return str(error), USAGE
        case ValidationError():
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            return f"{where}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": "), USAGE
        case NoCredentialsError():
            return "no AWS credentials found; run `aws configure`, or `tyrell local up` to try without AWS", FAILED
        case NoRegionError():
            return "no AWS region chosen; set AWS_DEFAULT_REGION, or `tyrell local up` to try without AWS", FAILED
        case EndpointConnectionError() if "127.0.0.1" in str(error):
            return f"{error}; the embedded cloud is not up any more, start it with `tyrell local up`", FAILED
        case TyrellError() | ClientError() | BotoCoreError() | OSError():
            return str(error), FAILED
    logging.getLogger(__name__).debug("unexpected", exc_info=error)
    return f"{type(error).__name__}: {error}", FAILED


def run_flow(title: str, flow: Flow[..., T], *arguments: Any, undo: str = "", quiet: bool = False) -> T:
    """Run a flow through the Prefect server while the terminal shows its steps; `quiet` shows nothing.

    `undo` is the command that removes what the flow makes. Raises Unfinished with it when the flow fails half-way,
    KeyboardInterrupt when Ctrl-C or SIGTERM ended it. A command that is only planned ends here, with the plan shown.
    """
    from tyrell.cancelling import cancellable  # noqa: PLC0415  imports Prefect
    from tyrell.live import LiveView  # noqa: PLC0415

    _check_parameters(flow, arguments)
    if is_planned():
        end_with_plan(flow, arguments, json=quiet)
    check_prefect_server()
    try:
        with nullcontext() if quiet else LiveView(title, notes), cancellable(flow) as own:
            return own(*arguments)
    except (UsageError, RunCancelled):
        raise
    except Exception as error:
        if was_told_to_end():  # Prefect stumbles over a signal that comes while a task begins
            raise KeyboardInterrupt from error
        raise Unfinished(explain(error)[0], undo) if undo else error from error
    finally:
        _send_the_rest()


def _check_parameters(flow: Flow[..., Any], arguments: tuple[Any, ...]) -> None:
    """Refuse before a run exists what its flow would refuse. Raises UsageError."""
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415

    kinds = get_type_hints(flow.fn, include_extras=True)
    for name, value in signature(flow.fn).bind(*arguments).arguments.items():
        try:
            TypeAdapter(kinds[name]).validate_python(value)
        except ValidationError as error:
            raise UsageError(f"{name}: {explain(error)[0]}") from None


def check_prefect_server() -> None:
    """Refuse before anything is done when there is nobody to keep the run. Raises TyrellError."""
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    from tasks.clients import http_status  # noqa: PLC0415

    url = PREFECT_API_URL.value()
    if not url:
        raise TyrellError("no Prefect server is chosen; set PREFECT_API_URL, or `tyrell local up` to try without AWS")
    answer = http_status(f"{url}/health", timeout=10)
    if answer != "200":
        raise TyrellError(f"the Prefect server at {url} does not answer ({answer}); start it, or set PREFECT_API_URL")


def _send_the_rest() -> None:
    """Prefect sends logs and events from the background; nothing may be lost when the command ends."""
    from prefect.events.worker import EventsWorker  # noqa: PLC0415
    from prefect.logging.handlers import APILogWorker  # noqa: PLC0415

    for worker in (APILogWorker, EventsWorker):
        worker.drain_all(timeout=SENDING_SECONDS)


def confirmed(question: str, *, yes: bool) -> None:
    """Ask a person, unless he has said yes already or the command is only planned. Raises Abort at a no."""
    if not yes and not is_planned():
        typer.confirm(question, abort=True, err=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")
