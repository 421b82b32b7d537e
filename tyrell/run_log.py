"""The log of a run and of all runs it consists of, as it grows."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    LogFilter,
    LogFilterFlowRunId,
    LogFilterTimestamp,
    TaskRunFilter,
    TaskRunFilterId,
)
from prefect.client.schemas.objects import Log

from tasks.errors import Expired
from tasks.model import Patience
from tasks.waits import NotYet, wait_until
from tyrell.run import out

PAGE = 200
"""Lines that the server gives at once."""
LATE = timedelta(seconds=30)
"""Lines are sent in the background: an older one may come after a newer one."""
LAST_LINES = Patience(timeout=timedelta(seconds=5), every=timedelta(seconds=0.2))
LAST = "Finished in state"


class RunLog:
    """What has been printed of a run."""

    def __init__(self, client: SyncPrefectClient, run: UUID) -> None:
        self._client = client
        self._run = run
        self._parts = [run]
        self._printed: set[UUID] = set()
        self._steps: dict[UUID, str] = {}
        self._newest: datetime | None = None
        self._ended = False

    def show(self) -> None:
        """Print the lines that are new. Raises what Prefect's client raises."""
        self._find_parts()
        offset = 0
        while page := self._client.read_logs(self._filter(), limit=PAGE, offset=offset):
            offset += len(page)
            self._name_steps(page)
            for line in page:
                if line.id not in self._printed:
                    self._print(line)
            if len(page) < PAGE:
                break
        if page:
            self._newest = page[-1].timestamp

    def show_rest(self) -> None:
        """Print the last lines of a run that has ended; those of one that was killed may never come."""

        def look() -> bool | NotYet:
            self.show()
            return self._ended or NotYet("it has not said its last word")

        with suppress(Expired):
            wait_until("its last log lines", look, LAST_LINES)

    def _find_parts(self) -> None:
        parents = self._parts
        while parents:
            wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=parents))
            found = [each.id for each in self._client.read_flow_runs(flow_run_filter=wanted)]
            parents = [each for each in found if each not in self._parts]
            self._parts += parents

    def _filter(self) -> LogFilter:
        since = LogFilterTimestamp(after_=self._newest - LATE) if self._newest else None
        return LogFilter(flow_run_id=LogFilterFlowRunId(any_=self._parts), timestamp=since)

    def _name_steps(self, lines: list[Log]) -> None:
        unknown = {line.task_run_id for line in lines if line.task_run_id} - self._steps.keys()
        if unknown:
            wanted = TaskRunFilter(id=TaskRunFilterId(any_=list(unknown)))
            self._steps |= {each.id: f"{each.name}: " for each in self._client.read_task_runs(task_run_filter=wanted)}

    def _print(self, line: Log) -> None:
        self._printed.add(line.id)
        of_a_task = line.task_run_id is not None
        self._ended |= line.flow_run_id == self._run and not of_a_task and line.message.startswith(LAST)
        when, level = line.timestamp.astimezone(), logging.getLevelName(line.level)
        step = self._steps.get(line.task_run_id, "") if line.task_run_id else ""
        out.print(f"{when:%H:%M:%S} {level:<7} {step}{line.message}", markup=False, highlight=False, soft_wrap=True)
