"""Sends the journal of this machine to the Loki of the metrics stack, for people to search.

Runs on every machine. Where Loki is, is in the secret tyrell/ZETTA_STACK/metrics; as long as there is none, or Loki
does not answer, the journal keeps what is said. Labels are few, as Loki wants them: stack, role, version, instance and
unit (https://grafana.com/docs/loki/v3.2.x/get-started/labels/bp-labels/).

Settings: JOURNAL (the folder of the journal; without one there is nothing to send), STATE_DIRECTORY, ZETTA_STACK,
ZETTA_VERSION, LINK_INSTANCE_TYPE, INSTANCE_ID, AWS_REGION (us-east-1), LOKI_URL (instead of the secret),
INTERVAL between two looks (10 s).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from link.logs.journal import Journal, JournalUnreadable
from link.logs.loki import LinesRefused, NotSent, push
from link.shared.access import Secret, SecretUnusable
from link.shared.environment import Environment
from link.shared.kept_access import KeptAccess
from link.shared.process import run_program, set_on_signals

logger = logging.getLogger(__name__)


class Shipper:
    """Sends what is new in the journal; a reason why it can not is logged once, until there is another."""

    def __init__(self, environment: Environment) -> None:
        self._journal = Journal(Path(environment.text("JOURNAL")), Path(environment.text("STATE_DIRECTORY")) / "cursor")
        self._labels = {
            "stack": environment.text("ZETTA_STACK"),
            "role": environment.text("LINK_INSTANCE_TYPE"),
            "version": environment.text("ZETTA_VERSION"),
            "instance": environment.text("INSTANCE_ID"),
        }
        self._url = environment.text("LOKI_URL", "")
        self._access = KeptAccess(Secret(environment, "metrics"))
        self._problem = ""

    def ship(self) -> bool:
        """Send one batch; whether there is more to be sent at once."""
        problem, more = "", False
        try:
            more = self._ship()
        except LinesRefused as error:
            problem, more = f"lines are lost: {error}", True
        except (SecretUnusable, JournalUnreadable, NotSent) as error:
            problem = f"lines wait in the journal: {error}"
        self._tell(problem)
        return more

    def _ship(self) -> bool:
        url = self._url or self._find_loki()
        batch = self._journal.read()
        if not batch.entries:
            return False
        try:
            push(url, self._labels, batch.entries)
        except LinesRefused:
            self._journal.mark(batch.entries[-1])
            raise
        self._journal.mark(batch.entries[-1])
        return batch.more

    def _find_loki(self) -> str:
        url = self._access.read().loki
        if not url:
            raise NotSent(f"secret {self._access.secret.name} names no Loki")
        return url

    def _tell(self, problem: str) -> None:
        if problem and problem != self._problem:
            logger.warning(problem)
        elif self._problem and not problem:
            logger.info("lines are sent again")
        self._problem = problem


async def run(environment: Environment) -> None:
    """Send until told to stop; then what was said last, too."""
    if not environment.text("JOURNAL", ""):
        logger.info("this machine has no journal: nothing is sent")
        return
    shipper, interval = Shipper(environment), environment.number("INTERVAL", 10, 0.1, 3600)
    stop = asyncio.Event()
    set_on_signals(stop)
    logger.info("started")
    while True:
        last = stop.is_set()
        if await asyncio.to_thread(shipper.ship):
            continue
        if last:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(interval):
                await stop.wait()


if __name__ == "__main__":
    run_program("log-shipper", run)
