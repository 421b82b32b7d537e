"""The workers of a stack's queues: what there is to do, who does it, and starting or stopping them."""

from __future__ import annotations

from datetime import timedelta

from tasks.activities import find_troubles
from tasks.errors import QueueGone, UsageError, nothing_live
from tasks.groups import find_groups, scale_group
from tasks.live_keys import find_live_key, find_pause
from tasks.locks import Lock, check_held
from tasks.model import Changes, Group, Noun, Version
from tasks.pins import pinned_for
from tasks.queues import count_messages, find_load, find_queue
from tasks.role_parts import ByQueue
from tasks.roles import Role, load_role, role_names
from tasks.worker_plans import Load


class Crew(Noun):
    """The workers of one role and their queue at a moment."""

    role: str
    version: str = ""
    """The one that works; empty when none does."""
    queue: str = ""
    """Its URL."""
    waiting: int = 0
    in_flight: int = 0
    age: timedelta | None = None
    """That of the oldest message; None when nobody knows, or there is none."""
    dead_letters: int = 0
    working: int = 0
    """Machines in service."""
    desired: int = 0
    """Machines that its group wants."""
    strays: tuple[Version, ...] = ()
    """Other versions that still have machines."""
    paused: str = ""
    """By whom, since when and why; empty when it is not."""
    problems: tuple[str, ...] = ()

    @property
    def load(self) -> Load:
        """What its queue holds."""
        return Load(waiting=self.waiting, in_flight=self.in_flight, age=self.age)


def worker_roles(names: tuple[str, ...] = ()) -> tuple[Role, ...]:
    """The roles of these names, or all that work off a queue. Raises NotFound, UsageError for one that does not."""
    roles = [load_role(name) for name in names or role_names()]
    workers = tuple(role for role in roles if isinstance(role.traffic, ByQueue))
    others = [role.name for role in roles if role not in workers]
    if names and others:
        known = ", ".join(role.name for role in worker_roles())
        raise UsageError(f"{others[0]} works off no queue; roles that do are {known}")
    return workers


def find_crew(stack: str, role: Role, kind: ByQueue) -> Crew:
    """Workers and queue as they are now. Raises NotFound without a stack, QueueGone, EtcdUnreachable."""
    url = find_queue(stack, kind.queue)
    load = find_load(url)
    return _staffed(stack, role).model_copy(
        update={
            "queue": url,
            "waiting": load.waiting,
            "in_flight": load.in_flight,
            "age": load.age,
            "dead_letters": count_messages(find_queue(stack, kind.dead_letters)),
        }
    )


def find_crews(stack: str, roles: tuple[Role, ...]) -> tuple[Crew, ...]:
    """The same of several roles; a queue that is gone is a problem of its row. Raises NotFound without a stack."""
    crews = []
    for role in roles:
        if isinstance(role.traffic, ByQueue):
            try:
                crews.append(find_crew(stack, role, role.traffic))
            except QueueGone as gone:
                staffed = _staffed(stack, role)
                crews.append(staffed.model_copy(update={"problems": (str(gone), *staffed.problems)}))
    return tuple(crews)


def _staffed(stack: str, role: Role) -> Crew:
    """The workers alone."""
    live, pause, groups = find_live_key(stack, role.name), find_pause(stack, role.name), find_groups(stack, role.name)
    group = next((group for group in groups if group.version.id == live), None)
    nobody = (
        () if group else (f"no version of {role.name} is live; `tyrell switch {role.name} VERSION` makes one live",)
    )
    return Crew(
        role=role.name,
        version=live,
        working=len(group.in_service) if group else 0,
        desired=group.desired if group else 0,
        strays=tuple(each.version for each in groups if each.desired and not _belongs(each, live)),
        paused=str(pause or ""),
        problems=find_troubles(group) if group else nobody,
    )


def _belongs(group: Group, live: str) -> bool:
    """Whether its machines have a reason to be there: it is live, or an upgrade is trying it."""
    return group.version.id == live or bool(pinned_for(group))


def scale_crew(lock: Lock | None, stack: str, role: Role, size: int) -> Changes:
    """`size` workers of the version that is live now, and none of any other; who is stopped finishes his batch.

    Raises NotFound when no version is live, LockLost.
    """
    crew = _staffed(stack, role)
    if not crew.version:
        raise nothing_live(role.name)
    changes: Changes = ()
    for stray in crew.strays:
        check_held(lock)
        changes += scale_group(stray, 0)
    check_held(lock)
    return changes + scale_group(Version(stack=stack, role=role.name, id=crew.version), size)
