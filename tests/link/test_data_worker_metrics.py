"""What a data worker tells about its work."""

from __future__ import annotations

import asyncio
import sys

from tests.link.data_queue import DataQueue
from tests.link.statsd_agent import statsd_agent


async def test_a_worker_tells_how_much_it_moved_and_how_old_the_oldest_was(data: DataQueue) -> None:
    data.send_numbered(30, tenants=3)
    async with statsd_agent() as agent:
        settings = {"STATSD_HOST": agent.address}
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "link.data_worker", env=data.variables | settings, stdout=asyncio.subprocess.DEVNULL
        )
        assert await worker.wait() == 0
        assert await agent.told("link.workers.messages,kind=device:") == "link.workers.messages,kind=device:30|c"
        objects = [line for line in agent.lines if line.startswith("link.workers.objects")]
        assert objects == ["link.workers.objects,kind=device:1|c"] * len(data.keys("tenant"))
        age = await agent.told("link.workers.age,kind=device:")
        assert 0 <= int(age.removeprefix("link.workers.age,kind=device:").removesuffix("|g")) < 60
