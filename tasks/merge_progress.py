"""How far a merge is: in the log, and as a progress bar of the run in the Prefect UI."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.runtime import flow_run

from tasks.artifact_keys import What, artifact_key
from tasks.merged import Merge, Tally

logger = logging.getLogger(__name__)

EVERY_SECONDS = 2.0


@contextmanager
def showing_progress(merge: Merge, tally: Tally, total: int) -> Iterator[Callable[[], None]]:
    """Gives what is to be called after each object; the tally is shown at most every `EVERY_SECONDS`, and in the end.

    A Prefect server that does not take the bar is no reason to fail: one warning, and no more of it is tried.
    """
    bar = _Bar(artifact_key(What.PROGRESS, merge.old, "to", merge.new), f"Objects of {merge.old} in {merge.new}")
    shown = time.monotonic()

    def show() -> None:
        logger.info("%s of %s objects, %s", f"{tally.seen:,}", f"{total:,}", tally)
        bar.show(tally.seen, total)

    def one_more() -> None:
        nonlocal shown
        if time.monotonic() - shown >= EVERY_SECONDS:
            shown = time.monotonic()
            show()

    yield one_more
    show()


class _Bar:
    """The progress artifact of a flow run; nothing outside of one. Used by one thread."""

    def __init__(self, key: str, title: str) -> None:
        self._key, self._title = key, title
        self._id: UUID | None = None
        self._alive = bool(flow_run.id)

    def show(self, done: int, total: int) -> None:
        if not self._alive:
            return
        percent = min(100.0, 100 * done / total) if total else 100.0
        try:
            if self._id is None:
                made = create_progress_artifact(percent, key=self._key, description=self._title)
                self._id = made if isinstance(made, UUID) else None
            else:
                update_progress_artifact(self._id, percent)
        except Exception as error:
            logger.warning("cannot show how far the merge is in artifact %s: %s", self._key, error)
            self._alive = False
