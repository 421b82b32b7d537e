"""What every step of a flow has in common: a name to read in the UI, and retries on transient errors only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from tasks.clients import is_transient
from tasks.waits import stop_waiting

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def only_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether Prefect should run the task again: only when the same call may work the next time."""
    result = state.result(raise_on_failure=False)
    return isinstance(result, BaseException) and is_transient(result)


def step(name: str, *, system: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function of data a Prefect task called `name` (a format string over its arguments), tagged `system`.

    Nothing is cached: the same question to the world may have a new answer.
    """

    return task(
        task_run_name=name,
        tags=[system],
        retries=3,
        retry_delay_seconds=[1, 5, 15],
        retry_condition_fn=only_transient,
        cache_policy=NO_CACHE,
    )


def one_heartbeat() -> AbstractContextManager[Any]:
    """Flows started inside send no heartbeat: the flow they are part of sends its own.

    A flow that ends waits about a second for its heartbeat thread; eight parts of a run would add up.
    """
    return temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})


def in_parallel(calls: Iterable[Callable[[], R]]) -> list[R]:
    """The results of `calls`, made at the same time, in their order; each sees the flow run it was started from.

    Waits for all of them, also when one fails: nothing goes on working behind a finished flow. Then raises the
    first error.
    """
    waiting = list(calls)
    if not waiting:
        return []
    with ThreadPoolExecutor(max_workers=len(waiting)) as pool:
        futures = [pool.submit(copy_context().run, call) for call in waiting]
        try:
            wait(futures)
        except BaseException:  # Ctrl-C, or Prefect's cancellation: only this thread hears of it
            stop_waiting()
            raise
    return [future.result() for future in futures]


def each_in_parallel(work: Callable[[T], R], items: Iterable[T], at_once: int) -> Generator[R, None, None]:
    """What `work` makes of every item, as each gets ready; `at_once` are worked on, and few more taken from `items`.

    The first error ends it: what has begun is finished, nothing else is begun, and it is raised.
    """
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        begun: set[Future[R]] = set()
        try:
            for item in items:
                begun.add(pool.submit(copy_context().run, work, item))
                if len(begun) >= 2 * at_once:
                    ready, begun = wait(begun, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in ready)
            while begun:
                ready, begun = wait(begun, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in ready)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
