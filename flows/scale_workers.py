"""The scale-workers flow: as many workers as the queues of a stack need, until they are worked off."""

import logging
from datetime import timedelta
from functools import partial

from prefect import flow

from tasks.errors import LockHeld
from tasks.locks import holding
from tasks.model import Patience, StackName
from tasks.parameters import Wait, WorkerRole
from tasks.role_parts import ByQueue
from tasks.run_list import tag_run
from tasks.spelling import Duration
from tasks.steps import in_parallel
from tasks.worker_watch import publish_crews, work_off_queue
from tasks.workers import Crew, worker_roles

LOCK = "scale-workers"
"""One run at a time and stack, whoever starts it; each change to a role is under that role's lock besides."""

logger = logging.getLogger("tasks.workers")


@flow(name="scale-workers", flow_run_name="scale workers of {stack}", on_running=[tag_run])
def scale_workers(
    stack: StackName,
    roles: tuple[WorkerRole, ...] = (),
    run: bool = False,
    at_most: int | None = None,
    watch: Duration = timedelta(minutes=45),
    polite: bool = False,
    wait: Wait = None,
) -> tuple[Crew, ...]:
    """Look at the queues, start the workers that they need, and watch until all is done. Returns how it was then.

    Args:
        stack: the stack
        roles: only the workers of these roles; without them all
        run: start workers for all that waits; without it only for much, or for what is old
        at_most: how many workers a role may have; without it, or with more, what the role's file allows
        watch: how long to watch at most; workers go on without it
        polite: leave it to a run that is under way, instead of being refused
        wait: how long to wait for a run that is under way to end, as PT10M; without it this one is refused at once
    """
    workers = worker_roles(roles)
    patience = Patience(timeout=watch, every=timedelta(seconds=1))
    try:
        with holding(stack, LOCK, "run" if run else "look", wait):
            crews = in_parallel(
                partial(work_off_queue, stack, role, role.traffic, _most(role.size.max, at_most), patience, run=run)
                for role in workers
                if isinstance(role.traffic, ByQueue)
            )
            publish_crews(stack, tuple(crews))
            return tuple(crews)
    except LockHeld as held:
        if not polite:
            raise
        logger.info("left alone: %s", held)
        return ()


def _most(allowed: int, wanted: int | None) -> int:
    return allowed if wanted is None else min(allowed, wanted)
