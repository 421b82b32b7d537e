"""The engine: one thread that brings every group towards what it should be."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.autoscaling.urls import url_paths

from tyrell.local.autoscaling.act import Actor, note
from tyrell.local.autoscaling.actions import Deed, Note
from tyrell.local.autoscaling.api import AutoScalingApi
from tyrell.local.autoscaling.capacity import is_met
from tyrell.local.autoscaling.groups import Groups
from tyrell.local.autoscaling.reconcile import decide
from tyrell.local.autoscaling.records import Group
from tyrell.local.autoscaling.schedule import run_due
from tyrell.local.autoscaling.states import MOVING
from tyrell.local.autoscaling.world import World
from tyrell.local.settings import Settings

log = logging.getLogger(__name__)

API_PATH = "{0}/$"
PACE_SECONDS = 0.2
"""Between two looks while an instance is on its way from one state to another."""
REST_SECONDS = 2.0
"""The longest rest between two looks when nothing is."""
REST_PER_LOOK = 30
"""A look at a settled cloud may cost a thirtieth of the time."""
STOP_SECONDS = 10.0


def utc_now() -> datetime:
    """The time of day, in UTC."""
    return datetime.now(UTC)


class AutoScaling:
    """Amazon EC2 Auto Scaling for one embedded cloud.

    `clock` tells the time for schedules, grace periods, heartbeats and retries (aware, UTC).
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        self._settings = settings
        self._clock = clock
        self._groups = Groups()
        self._world = World(settings)
        self._actor = Actor(self._world, self._groups, clock)
        self._troubles: dict[str, str] = {}
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._replaced: Any = None

    def install(self) -> None:
        """Put this service's API in the place of moto's. Before the server starts."""

        def serve(request: Any, full_url: str, headers: Any) -> Any:
            api = AutoScalingApi(self._settings, self._groups, self._clock, self.wake)
            return api.serve(request, full_url, headers)

        self._replaced = self._replaced or url_paths[API_PATH]
        url_paths[API_PATH] = serve

    def start(self) -> None:
        """Start to reconcile; doing it twice is fine."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="autoscaling", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop to reconcile and give moto its API back. TimeoutError when a round does not end within 10 s."""
        if self._replaced:
            url_paths[API_PATH], self._replaced = self._replaced, None
        if self._thread is None:
            return
        self._stopping.set()
        self.wake()
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError(
                f"Auto Scaling: its thread is still busy {STOP_SECONDS:.0f} s after it was asked to stop"
            )
        self._thread = None

    def wake(self) -> None:
        """Look at once: something has changed."""
        self._woken.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            began = time.monotonic()
            if not self._round():
                self._woken.wait(self._rest(time.monotonic() - began))

    def _rest(self, look_seconds: float) -> float:
        """How long to rest after a look that took so long and changed nothing."""
        with self._groups.lock:
            moving = any(member.state in MOVING for group in self._groups.all() for member in group.members.values())
        return PACE_SECONDS if moving else min(max(PACE_SECONDS, REST_PER_LOOK * look_seconds), REST_SECONDS)

    def _round(self) -> bool:
        """Look at every group once and act; say whether that changed anything, so that there may be more to do."""
        groups = self._groups.all()
        # Without the lock: only this thread adds instances to groups and removes them.
        try:
            states = self._world.states([instance_id for group in groups for instance_id in group.members])
        except Exception as error:  # whatever it is, what is not seen is not decided about
            self._trouble("EC2", error)
            return False
        self._troubles.pop("EC2", None)
        changed = False
        for group in groups:
            changed |= self._attend(group, states)
        return changed

    def _attend(self, group: Group, states: dict[str, str]) -> bool:
        """Reconcile one group; whatever goes wrong with it is logged once and does not touch the others."""
        try:
            changed = self._reconcile(group, states)
        except Exception as error:  # whatever it is, the other groups must go on
            self._trouble(group.name, error)
            return False
        self._troubles.pop(group.name, None)
        return changed

    def _reconcile(self, group: Group, states: dict[str, str]) -> bool:
        now = self._clock()
        with self._groups.lock:
            changed = run_due(group, now)
        seen = self._world.look(group, states)
        with self._groups.lock:
            actions = decide(group, seen, now)
            for action in actions:
                if isinstance(action, Note):
                    note(group, action, now)
            if is_met(group):
                group.reason = ""
            if group.deleting and not group.members:
                self._groups.remove(group.name)
        self._carry_out(group, [action for action in actions if isinstance(action, Deed)])
        return changed or bool(actions)

    def _carry_out(self, group: Group, deeds: list[Deed]) -> None:
        """Try each, so that one that is always refused does not keep the others from their turn."""
        refused: Exception | None = None
        for deed in deeds:
            try:
                self._actor.carry_out(group, deed)
            except (ClientError, BotoCoreError) as error:
                refused = error
        if refused:
            raise refused

    def _trouble(self, where: str, error: Exception) -> None:
        """Log the error, unless it is the one that was logged last for that place."""
        if self._troubles.get(where) != str(error):
            self._troubles[where] = str(error)
            log.exception("Auto Scaling, %s: %s", where, error)
