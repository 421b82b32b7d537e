"""What happens to a role's versions while a flow runs, recorded for the picture at its end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tasks.artifact_keys import What, artifact_key
from tasks.groups import find_groups
from tasks.health import find_health
from tasks.model import Version
from tasks.roles import Role
from tasks.timeline import Moment, Share, publish_timeline
from tasks.versions import find_shares

logger = logging.getLogger(__name__)

SHORTEST = 1.0
"""Seconds between two looks at first; later a hundredth of the time that has passed."""


class Recorder:
    """Looks at the versions that have machines, now and then and at every step."""

    def __init__(self, stack: str, role: Role) -> None:
        self._stack = stack
        self._role = role
        self._step = ""
        self._wake = threading.Event()
        self._over = False
        self._began = datetime.now(UTC)
        self.moments: list[Moment] = []

    def step(self, name: str) -> None:
        """From now on it is this step."""
        self._step = name
        self._wake.set()

    def look(self) -> None:
        """Record the versions as they are; what cannot be seen is left out of the picture, not an error."""
        step, at = self._step, datetime.now(UTC)
        try:
            groups = find_groups(self._stack, self._role.name)
            shares = find_shares(self._stack, self._role, groups)
            health = {group.version.id: find_health(group, self._role) for group in groups if group.desired}
        except Exception as error:  # a missing point of a picture must not end an upgrade
            logger.debug("not recorded: %s", error)
            return
        versions = {
            name: Share(healthy=each.healthy, desired=each.wanted, traffic=shares.get(name, 0))
            for name, each in health.items()
        }
        self.moments.append(Moment(at=at, step=step, versions=versions))

    def run(self) -> None:
        """Look until after `end`."""
        while True:
            self._wake.clear()
            over = self._over
            self.look()
            if over:
                return
            passed = (datetime.now(UTC) - self._began).total_seconds()
            self._wake.wait(max(SHORTEST, passed / 100))

    def end(self) -> None:
        """Look once more, and no more."""
        self._over = True
        self.step("end")


@contextmanager
def recording(version: Version, role: Role) -> Iterator[Recorder]:
    """A recorder while the block runs; at its end, whatever that is, its picture is an artifact of the run."""
    recorder = Recorder(version.stack, role)
    thread = threading.Thread(target=recorder.run, name="recorder", daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        recorder.end()
        thread.join()
        title = f"{role.name} of {version.stack}: to {version.id}"
        moments = tuple(sorted(recorder.moments, key=lambda moment: moment.at))
        if moments:
            publish_timeline(artifact_key(What.TIMELINE, version.stack, role.name), title, moments)
