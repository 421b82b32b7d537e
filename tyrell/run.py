"""Running one command: the flow behind a live view, every error as one sentence and an exit code."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from tasks.errors import TyrellError, Unfinished, UsageError

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


def run_flow(title: str, flow: Callable[..., T], *arguments: Any, undo: str = "", quiet: bool = False) -> T:
    """Run a flow through the Prefect server while the terminal shows its steps; `quiet` shows nothing.

    `undo` is the command that removes what the flow makes. Raises Unfinished with it when the flow fails half-way.
    """
    from tyrell.live import LiveView  # noqa: PLC0415  imports Prefect

    check_prefect_server()
    try:
        with nullcontext() if quiet else LiveView(title, notes):
            return flow(*arguments)
    except UsageError:
        raise
    except Exception as error:
        raise Unfinished(explain(error)[0], undo) if undo else error from error
    finally:
        _send_the_rest()


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


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")
