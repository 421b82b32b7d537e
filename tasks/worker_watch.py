"""A queue being worked off, on AWS and etcd (see `tasks.worker_runs.World`): looked at, recorded, and told about."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from tasks.artifact_keys import What, artifact_key
from tasks.depths import Depth, publish_depths
from tasks.errors import QueueTooOld
from tasks.events import Event, tell_event
from tasks.locks import holding
from tasks.model import Changes, Patience
from tasks.role_parts import ByQueue
from tasks.roles import Role
from tasks.steps import step
from tasks.worker_runs import work_off
from tasks.workers import Crew, find_crew, scale_crew

logger = logging.getLogger(__name__)


class Work:
    """One role's queue; remembers what was seen and changed."""

    def __init__(self, stack: str, role: Role, kind: ByQueue) -> None:
        self.stack, self.role, self.kind = stack, role, kind
        self.depths: list[Depth] = []
        self.changes: Changes = ()
        self._told = False

    @property
    def name(self) -> str:
        """What the base stack calls it."""
        return f"{self.kind.queue} of {self.stack}"

    def look(self) -> Crew:
        """Recorded for the picture; the first time that its oldest message is too old everybody hears of it."""
        crew = find_crew(self.stack, self.role, self.kind)
        now = datetime.now(UTC)
        self.depths.append(Depth(at=now, waiting=crew.waiting, in_flight=crew.in_flight, working=crew.working))
        if crew.load.is_too_old(self.kind.max_age) and not self._told:
            self._told = True
            tell_too_old(self.stack, too_old(crew, self.kind))
        return crew

    def scale(self, size: int) -> None:
        """Under the role's lock: an upgrade of the role is never disturbed. Raises LockHeld, LockLost."""
        with holding(self.stack, self.role.name, f"have {size} workers", None) as lock:
            changes = scale_crew(lock, self.stack, self.role, size)
        self.changes += changes
        if changes and size:
            waiting = self.depths[-1].waiting if self.depths else 0
            tell_event(Event.WORKERS_STARTED, (self.stack, self.role.name), workers=size, waiting=waiting)


def work_off_queue(stack: str, role: Role, kind: ByQueue, most: int, patience: Patience, *, run: bool) -> Crew:
    """Have the queue worked off and keep a picture of it; how it was at the end.

    Raises QueueGone; and QueueTooOld when at the end its oldest message is older than it may be.
    """
    work = Work(stack, role, kind)
    try:
        crew = work_off(work, kind, most, patience, run=run)
    finally:
        if work.changes:
            publish_depths(artifact_key(What.DEPTH, stack, role.name), f"{kind.queue} of {stack}", tuple(work.depths))
    crew = crew.model_copy(update={"problems": (*_nobody(crew, most), *crew.problems)})
    for problem in crew.problems:
        logger.warning("%s: %s", role.name, problem)
    if crew.load.is_too_old(kind.max_age):
        raise too_old(crew, kind)
    return crew


def _nobody(crew: Crew, most: int) -> tuple[str, ...]:
    """Who says that nobody may work, while there is work."""
    if not crew.waiting or crew.desired or (most and not crew.paused):
        return ()
    return (f"{crew.waiting} messages wait and no worker may be started: {crew.paused or 'at most 0 are allowed'}",)


def too_old(crew: Crew, kind: ByQueue) -> QueueTooOld:
    """The error, with what is known of the reason."""
    return QueueTooOld(
        role=crew.role,
        url=crew.queue,
        waiting=crew.waiting,
        seconds=int(crew.age.total_seconds()) if crew.age else 0,
        limit=int(kind.max_age.total_seconds()),
        reason="; ".join((*filter(None, [crew.paused]), *crew.problems)) or f"{crew.working} workers are at it",
    )


@step("{error.role} is too late", system="artifacts")
def tell_too_old(stack: str, error: QueueTooOld) -> None:
    """An event for automations, and an artifact for people."""
    where = (stack, error.role)
    tell_event(
        Event.QUEUE_TOO_OLD, where, age=error.seconds, limit=error.limit, waiting=error.waiting, reason=error.reason
    )
    key = artifact_key(What.TOO_OLD, stack, error.role)
    create_markdown_artifact(f"**{error}**", key=key, description="Messages wait too long")


@step("workers of {stack}", system="artifacts")
def publish_crews(stack: str, crews: tuple[Crew, ...]) -> None:
    """A table of queues and workers as an artifact of the run."""
    create_table_artifact(
        key=artifact_key(What.WORKERS, stack),
        description=f"The queues of {stack} and who works on them",
        table=[
            {
                "role": crew.role,
                "version": crew.version,
                "waiting": crew.waiting,
                "in flight": crew.in_flight,
                "oldest": str(crew.age or ""),
                "dead letters": crew.dead_letters,
                "workers": f"{crew.working}/{crew.desired}",
                "problems": "; ".join(crew.problems),
            }
            for crew in crews
        ],
    )
