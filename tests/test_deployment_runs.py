"""Following a run: what is said when the server goes away, and that its log comes whole and once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, Log, State
from prefect.client.schemas.responses import DeploymentResponse
from prefect.states import Completed, Running

from tyrell.deployment_runs import Followed

GONE = httpx.ConnectError("connection refused")


class Server:
    """Answers each look at a run with the next state, or not at all; one run is a part of it."""

    def __init__(self, *answers: State[Any] | Exception) -> None:
        self.run = FlowRun(id=uuid4(), flow_id=uuid4())
        self.part = FlowRun(id=uuid4(), flow_id=uuid4())
        self._answers = list(answers)

    def read_flow_run(self, _: UUID) -> FlowRun:
        """The run in its next state."""
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return self.run.model_copy(update={"state": answer})

    def read_flow_runs(self, flow_run_filter: Any) -> list[FlowRun]:
        """The parts of a run."""
        return [self.part] if self.run.id in flow_run_filter.parent_flow_run_id.any_ else []

    def read_logs(self, log_filter: Any, limit: int, offset: int) -> list[Log]:
        """A line of each run."""
        return [line for line in self.lines if line.flow_run_id in log_filter.flow_run_id.any_][offset : offset + limit]

    @property
    def lines(self) -> list[Log]:
        """Always the same."""
        return [
            self._line(UUID(int=1), self.part.id, "gave router two 100 % of the traffic"),
            self._line(UUID(int=2), self.run.id, "Finished in state Completed()"),
        ]

    def _line(self, name: UUID, run: UUID, message: str) -> Log:
        now = datetime.now(UTC)
        return Log(id=name, name="tasks", level=20, message=message, timestamp=now, flow_run_id=run)


def test_a_server_that_is_gone_for_a_while_is_said_once_and_the_run_is_followed_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = Server(Running(), GONE, GONE, Running(), Completed())
    deployment = DeploymentResponse(id=uuid4(), name="prod", flow_id=uuid4(), labels={})
    followed = Followed(cast("SyncPrefectClient", server), deployment, server.run, ours=True)
    assert followed.follow(timedelta(minutes=1)).is_completed()
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "running",
        "the Prefect server does not answer, trying on: connection refused",
        "running",
        "completed",
    ]
    assert said.out.count("gave router two 100 % of the traffic") == 1
