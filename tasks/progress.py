"""Why a run waits, to read while it waits: one markdown artifact of the run, kept up to date in place."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, FlowRunFilter, FlowRunFilterId
from prefect.runtime import flow_run

from tasks.waits import Waiting, observing

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
"""The artifact changes at most this often."""
LEAVING_SECONDS = 3.0
"""How long the end of the run waits for the last words to be sent."""
SHOWN_ENDED = 8


@contextmanager
def telling_why(key: str, title: str) -> Iterator[None]:
    """Inside, the flow run has a markdown artifact `key` (lower-case, dashes), described by `title`: why it waits.

    It is made at the first wait of the process and then updated in place from a thread of its own: a Prefect server
    that is slow or gone costs at most `LEAVING_SECONDS` at the end, and one warning. Does nothing outside a flow run.
    """
    run = flow_run.id
    if not run:
        yield
        return
    waits, page = Waits(), _Page(key, title, UUID(run))
    over = threading.Event()

    def keep() -> None:
        while not over.wait(EVERY_SECONDS):
            page.show(waits.markdown())
        page.show(waits.markdown())

    # The context carries Prefect's settings. A daemon: a server that does not answer must not keep the process.
    keeper = threading.Thread(target=copy_context().run, args=(keep,), name=f"telling why {key}", daemon=True)
    keeper.start()
    try:
        with observing(waits.hear):
            yield
    finally:
        over.set()
        keeper.join(LEAVING_SECONDS)


class Waits:
    """The waits that go on now and the last ones that ended, as told by `tasks.waits.observing`; safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: dict[tuple[str, datetime], Waiting] = {}
        self._ended: deque[Waiting] = deque(maxlen=SHOWN_ENDED)

    def hear(self, waiting: Waiting) -> None:
        """Take in what a wait says."""
        name = (waiting.what, waiting.since)
        with self._lock:
            if waiting.ended is None:
                self._now[name] = waiting
            else:
                self._now.pop(name, None)
                self._ended.append(waiting)

    def markdown(self) -> str:
        """Both as tables; empty when nothing has waited yet."""
        with self._lock:
            now, ended = list(self._now.values()), list(self._ended)
        if not now and not ended:
            return ""
        parts = [_now_table(now) if now else "Nothing is being waited for."]
        if ended:
            parts.append("What was waited for last:\n\n" + _ended_table(ended))
        return "\n\n".join(parts) + "\n"


def _now_table(waits: Iterable[Waiting]) -> str:
    zone = f"{datetime.now().astimezone():%Z}"
    rows = [(each.what, f"{each.since:%H:%M:%S}", f"{each.until:%H:%M:%S}", each.reason) for each in waits]
    return _table(("waiting for", f"since ({zone})", f"until ({zone})", "why"), rows)


def _ended_table(waits: Iterable[Waiting]) -> str:
    rows = [
        (each.what, f"{(each.ended - each.since).total_seconds():.1f}", each.reason or "there")
        for each in waits
        if each.ended
    ]
    return _table(("waited for", "seconds", "result"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(map(_cell, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """One line, in which a bar does not end the cell and nothing is taken for HTML."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")


class _Page:
    """The artifact of one flow run that shows the newest text. Used by one thread."""

    def __init__(self, key: str, title: str, run: UUID) -> None:
        self._key, self._title, self._run = key, title, run
        self._shown, self._complained = "", False

    def show(self, text: str) -> None:
        """Write `text` unless it is there already; a server that does not take it is no reason to fail."""
        if text == self._shown:
            return
        try:
            with get_client(sync_client=True, httpx_settings={}) as client:  # with settings: not the flow's own client
                self._write(client, text)
            self._shown = text
        except Exception as error:
            if not self._complained:
                logger.warning("cannot show what is waited for in artifact %s: %s", self._key, error)
            self._complained = True

    def _write(self, client: SyncPrefectClient, text: str) -> None:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[self._key])),
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[self._run])),
            limit=1,
        )
        if found:
            client.update_artifact(found[0].id, ArtifactUpdate(data=text, description=self._title))
        else:
            client.create_artifact(
                ArtifactCreate(
                    key=self._key, type="markdown", description=self._title, data=text, flow_run_id=self._run
                )
            )
