"""A process worker of Prefect's that ends when its runs have ended, not before.

Prefect's own (3.8.8) ends its runs when it gets SIGTERM: their processes are killed, and they stay *Running* for good.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
from prefect.client.schemas.objects import FlowRun
from prefect.workers.process import ProcessWorker


class DrainingWorker(ProcessWorker):
    """Healthy once it has asked for work; begins no more runs once `draining` is set."""

    draining = False
    _has_asked = False

    @property
    def runs(self) -> int:
        """How many are under way."""
        return int(self.limiter.borrowed_tokens)

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Ask for work and begin it. Prefect's polling loop calls it."""
        if self.draining:
            return []
        begun = await super().get_and_submit_flow_runs()
        self._has_asked = True
        return begun

    def is_worker_still_polling(self, query_interval_seconds: float) -> bool:
        """What `/health` answers; Prefect's own says yes for minutes before its server has ever answered."""
        return self._has_asked and super().is_worker_still_polling(query_interval_seconds)


async def work(
    worker: DrainingWorker, told_to_go: Callable[[], Awaitable[str]], while_draining: Callable[[], Awaitable[None]]
) -> None:
    """Run the worker until `told_to_go` returns the reason, then until the last of its runs has ended.

    Meanwhile `while_draining` is awaited again and again.
    """

    async def serve() -> None:
        await worker.start(with_healthcheck=True)

    async with anyio.create_task_group() as group:
        group.start_soon(serve)
        why = await told_to_go()
        worker.draining = True
        print(f"{why}: begins no more runs, {worker.runs} go on to their end", flush=True)
        while worker.runs:
            await while_draining()
        group.cancel_scope.cancel()
