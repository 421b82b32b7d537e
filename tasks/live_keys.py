"""Which version of a role that works off a queue is the one to work, and whether it may: keys in the stack's etcd."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pydantic import AwareDatetime

from tasks.core_services import find_etcd
from tasks.errors import Conflict
from tasks.etcd import Operation, Record, delete, put, unchanged
from tasks.events import Event, tell_event
from tasks.locks import Lock, check_held, me
from tasks.model import Changes, Noun, Version
from tasks.monitoring.annotations import annotate
from tasks.rollouts import FULL
from tasks.steps import step

LIVE = "/tyrell/live/"
PAUSED = "/tyrell/paused/"


class Pause(Noun):
    """Who wants no worker of a role to be started, since when and why."""

    by: str
    since: AwareDatetime
    why: str = ""

    def __str__(self) -> str:
        return f"paused by {self.by} since {self.since:%F %T} UTC" + (f": {self.why}" if self.why else "")


def find_live_key(stack: str, role: str) -> str:
    """The id of the version that works; empty when none does. Raises EtcdUnreachable."""
    return find_etcd(stack).get(LIVE + role).value


@step("{version.role} {version.id} is the one that works", system="etcd")
def point_to(lock: Lock | None, version: Version, *, back: bool = False) -> Changes:
    """Make the version the one that works, or that it was before. Raises LockLost, Conflict."""
    seen = find_etcd(version.stack).get(LIVE + version.role)
    if seen.value == version.id:
        return ()
    _write(lock, version.stack, seen, put(seen.key, version.id))
    changes = (f"switched {version.role} from {seen.value or 'none'} to {version.id}",)
    annotate(version, "rollback" if back else "switch", changes, FULL)
    before = {seen.value: FULL} if seen.value else {}
    tell_event(Event.VERSION_SWITCHED, version, weights={version.id: FULL}, before=before)
    return changes


def find_pause(stack: str, role: str) -> Pause | None:
    """The pause of the role's workers. Raises EtcdUnreachable."""
    found = find_etcd(stack).get(PAUSED + role).value
    return Pause.model_validate_json(found) if found else None


@step("pause {role}", system="etcd")
def pause_role(lock: Lock | None, stack: str, role: str, why: str) -> Changes:
    """Let no worker of the role be started; one that is paused already stays as it is. Raises LockLost, Conflict."""
    seen = find_etcd(stack).get(PAUSED + role)
    if seen.value:
        return ()
    facts = {"by": me(), "since": datetime.now(UTC).isoformat(timespec="seconds"), "why": why}
    _write(lock, stack, seen, put(seen.key, json.dumps(facts)))
    return (f"paused {role}",)


@step("resume {role}", system="etcd")
def resume_role(lock: Lock | None, stack: str, role: str) -> Changes:
    """Let workers of the role be started again. Raises LockLost, Conflict."""
    seen = find_etcd(stack).get(PAUSED + role)
    if not seen.value:
        return ()
    _write(lock, stack, seen, delete(seen.key))
    return (f"resumed {role}",)


def _write(lock: Lock | None, stack: str, seen: Record, operation: Operation) -> None:
    """One transaction that compares with what was read, and with the lock."""
    fence = lock.fence if lock else []
    if not find_etcd(stack).transact([unchanged(seen), *fence], [operation]):
        check_held(lock)
        raise Conflict(f"{seen.key} of stack {stack}", seen.value or "nothing", find_etcd(stack).get(seen.key).value)
