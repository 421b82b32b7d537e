"""A run that a command makes in its own process, cancelled by somebody in Prefect: it ends as Ctrl-C ends it.

Prefect leaves the ending to the worker whose process the run is; a run without a worker it calls *Cancelling* for ever.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from uuid import UUID

import httpx
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import PrefectException
from prefect.states import Cancelled

from tasks.errors import RunCancelled

T = TypeVar("T")
EVERY = 2.0
"""Seconds between two looks."""


@contextmanager
def cancellable(flow: Flow[..., T]) -> Iterator[Flow[..., T]]:
    """The same flow, whose run somebody may cancel in Prefect while the block lasts.

    Then SIGTERM reaches this process, and the run is called *Cancelled*. Raises RunCancelled when that ended it.
    """
    watch = _Watch()
    thread = threading.Thread(target=watch.watch, name="cancellation", daemon=True)
    thread.start()
    try:
        yield flow.with_options(on_running=[*flow.on_running_hooks, watch.begin])
    except BaseException:
        if watch.cancelled:
            _call_cancelled(watch.cancelled.id)
            raise RunCancelled(watch.cancelled.name) from None
        raise
    finally:
        watch.over.set()
        thread.join()


class _Watch:
    """Looks whether the run is to end; a quick one is never looked at."""

    def __init__(self) -> None:
        self._run: UUID | None = None
        self.over = threading.Event()
        self.cancelled: FlowRun | None = None

    def begin(self, flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG002  as Prefect calls it
        """Which run it is: a hook."""
        self._run = flow_run.id

    def watch(self) -> None:
        """End this process's run once somebody cancels it; returns when it is over."""
        if self.over.wait(EVERY):
            return
        with get_client(sync_client=True) as client:
            while not (cancelled := self._find_cancelled(client)):
                if self.over.wait(EVERY):
                    return
        self.cancelled = cancelled
        os.kill(os.getpid(), signal.SIGTERM)

    def _find_cancelled(self, client: SyncPrefectClient) -> FlowRun | None:
        """The run, when it is to end."""
        with suppress(PrefectException, httpx.HTTPError):  # the server may be away for a while
            run = client.read_flow_run(self._run) if self._run else None
            return run if run and run.state and run.state.is_cancelling() else None
        return None


def _call_cancelled(run: UUID) -> None:
    """Prefect takes a run that was interrupted for one that crashed: call it what it is."""
    message = "Cancelled; the same command goes on where it was."
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run, Cancelled(message=message), force=True)
