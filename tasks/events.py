"""Events: every change of state of a stack, told to Prefect, so that automations can react to it.

`docs/events.md` lists them all and is tested against this file.
https://docs.prefect.io/v3/concepts/events
"""

from __future__ import annotations

import logging
from enum import Enum

from prefect.events import emit_event
from prefect.runtime import flow_run

from tasks.model import Version

logger = logging.getLogger(__name__)

LEVELS = ("stack", "role", "version")
"""What an event can be about; what is further right lies in what is further left."""


class Event(Enum):
    """The name of an event, what it is about, the facts in its payload, and what it means."""

    VERSION_CREATED = (
        "tyrell.version.created",
        "version",
        ("release", "image"),
        "its CloudFormation stack is there; it has no machines and no traffic yet",
    )
    VERSION_SCALED = (
        "tyrell.version.scaled",
        "version",
        ("before", "after"),
        "its group wants another number of machines",
    )
    VERSION_HEALTHY = (
        "tyrell.version.healthy",
        "version",
        ("members",),
        "all its members are healthy where it counts for its kind of traffic",
    )
    VERSION_UNHEALTHY = (
        "tyrell.version.unhealthy",
        "version",
        ("healthy", "wanted", "traffic", "problems"),
        "it is at work, and the flow `status` has seen that it lacks healthy members",
    )
    VERSION_SWITCHED = (
        "tyrell.version.switched",
        "version",
        ("weights", "before"),
        "it was given traffic, at any step of an upgrade, by a switch or on the way back;"
        " `weights` and `before` are percent by version",
    )
    VERSION_ROLLED_BACK = (
        "tyrell.version.rolled-back",
        "version",
        ("to", "reason"),
        "it was given up, and the version `to` serves as before",
    )
    VERSION_BAD = (
        "tyrell.version.bad",
        "version",
        ("reason",),
        "it is marked bad: nothing goes to it by itself",
    )
    VERSION_RETIRED = (
        "tyrell.version.retired",
        "version",
        (),
        "its CloudFormation stack is gone",
    )
    APPROVAL_ASKED = (
        "tyrell.approval.asked",
        "version",
        ("percent", "until"),
        "its upgrade waits for a person's yes to `percent` of the traffic",
    )
    APPROVAL_ANSWERED = (
        "tyrell.approval.answered",
        "version",
        ("percent", "approved", "said"),
        "somebody said yes or no, or nobody anything in time",
    )
    LOCK_REFUSED = (
        "tyrell.lock.refused",
        "role",
        ("holder", "since", "doing"),
        "a change was refused, because somebody else is changing the role",
    )
    WORKERS_STARTED = (
        "tyrell.workers.started",
        "role",
        ("workers", "waiting"),
        "workers were started for the messages that wait",
    )
    QUEUE_TOO_OLD = (
        "tyrell.queue.too-old",
        "role",
        ("age", "limit", "waiting", "reason"),
        "the oldest message of the role's queue has waited longer than its `limit`, in seconds",
    )
    RELEASE_BEGUN = (
        "tyrell.release.begun",
        "stack",
        ("versions",),
        "a machine image is about to be released; `versions` by the role that is to be upgraded",
    )
    RELEASE_ENDED = (
        "tyrell.release.ended",
        "stack",
        ("complete", "results"),
        "the release is over, `complete` or not; `results` by role",
    )
    STACK_UP = (
        "tyrell.stack.up",
        "stack",
        ("changes",),
        "the stack is there, with every role at work",
    )
    STACK_DOWN = (
        "tyrell.stack.down",
        "stack",
        ("changes",),
        "the stack is gone",
    )
    BASE_UPDATED = (
        "tyrell.base.updated",
        "stack",
        ("resources",),
        "its base has changed in place",
    )
    NETWORK_UPDATED = (
        "tyrell.network.updated",
        "network",
        ("resources",),
        "the network has changed in place",
    )

    def __init__(self, title: str, about: str, facts: tuple[str, ...], meaning: str) -> None:
        self.title = title
        self.about = about
        self.facts = facts
        self.meaning = meaning


def tell_event(event: Event, where: Version | tuple[str, ...], **facts: object) -> None:
    """Send the event, from the background, with the flow run and with what it is about as related resources.

    `where` is a version, or the names of a stack and a role, a stack, or a network. Nothing is sent outside a flow run.
    The change is made already, so whatever goes wrong is a warning.
    """
    if not flow_run.id:
        return
    names = (where.stack, where.role, where.id) if isinstance(where, Version) else where
    try:
        emit_event(
            event.title, resource=resource(event.about, names), related=related(event.about, names), payload=facts
        )
    except Exception as error:
        logger.warning("event %s of %s is not sent: %s", event.title, " ".join(names), error)


def resource(about: str, names: tuple[str, ...]) -> dict[str, str]:
    """A resource as Prefect takes it: an id, the name people use, and a label for each of the names it is made of."""
    labels = {f"tyrell.{level}": name for level, name in zip(LEVELS, names, strict=False)} if about in LEVELS else {}
    return {
        "prefect.resource.id": ".".join(("tyrell", about, *names)),
        "prefect.resource.name": f"{' '.join(names[1:])} of {names[0]}" if names[1:] else names[0],
        **labels,
    }


def related(about: str, names: tuple[str, ...]) -> list[dict[str, str]]:
    """What it lies in, and it itself, each in the role `stack`, `role`, `version` or `network`."""
    within = LEVELS[: LEVELS.index(about)] if about in LEVELS else ()
    return [
        {**resource(level, names[: index + 1]), "prefect.resource.role": level} for index, level in enumerate(within)
    ]
