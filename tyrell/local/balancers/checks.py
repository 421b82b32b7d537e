"""Checking the health of targets over HTTP, each on its own clock."""

from __future__ import annotations

import asyncio
import logging
import zlib

import aiohttp
from yarl import URL

from tyrell.local.balancers.health import NO_ANSWER, TIMED_OUT, Failure, judge
from tyrell.local.balancers.pool import Group, Target, own_end

log = logging.getLogger(__name__)

_EAGER = 0.5
"""Seconds between the checks of a target that is still `initial`, so that a local bring-up does not have to wait for
an interval made for machines that boot in minutes. Only one failure per interval counts, so a target has as long to
start as on AWS, where all checks keep to the interval."""

_HEADERS = {"User-Agent": "ELB-HealthChecker/2.0"}


class Checker:
    """Checks every target of the groups it is told to follow, and tells the targets."""

    def __init__(self, source: str | None) -> None:
        connector = aiohttp.TCPConnector(limit=0, force_close=True, local_addr=own_end(source))
        self._session = aiohttp.ClientSession(connector=connector)
        self._watches: dict[Target, asyncio.Task[None]] = {}

    def follow(self, groups: list[Group]) -> None:
        """Check the targets of `groups` that are not draining, and no others; a new one at once."""
        wanted = {
            target: (target_id, group)
            for group in groups
            for target_id, target in group.targets.items()
            if not target.draining
        }
        for target in self._watches.keys() - wanted.keys():
            self._watches.pop(target).cancel()
        for target in wanted.keys() - self._watches.keys():
            self._watches[target] = asyncio.create_task(self._watch(*wanted[target], target))

    async def close(self) -> None:
        """Stop checking."""
        for watch in self._watches.values():
            watch.cancel()
        await self._session.close()

    async def _watch(self, target_id: str, group: Group, target: Target) -> None:
        now = asyncio.get_running_loop().time
        failure_counts = now()
        while target.health.state == "initial":
            failure = await self._ask(group, target)
            if failure is None or now() >= failure_counts:
                _judge(target_id, group, target, failure)
                failure_counts = now() + group.told.health_check.interval
            await asyncio.sleep(min(group.told.health_check.interval, _EAGER))
        # Targets that came together would be checked together for ever: each starts its regular checks elsewhere.
        await asyncio.sleep(group.told.health_check.interval * (zlib.crc32(target_id.encode()) % 1000 / 1000))
        while True:
            _judge(target_id, group, target, await self._ask(group, target))
            await asyncio.sleep(group.told.health_check.interval)

    async def _ask(self, group: Group, target: Target) -> Failure | None:
        check = group.told.health_check
        url = URL(f"http://{target.address}:{check.port or target.port}{check.path}", encoded=True)
        timeout = aiohttp.ClientTimeout(total=check.timeout)
        try:
            async with self._session.get(url, headers=_HEADERS, allow_redirects=False, timeout=timeout) as answer:
                return judge(answer.status, check.codes)
        except TimeoutError:
            return TIMED_OUT
        except (aiohttp.ClientError, OSError):
            return NO_ANSWER


def _judge(target_id: str, group: Group, target: Target, failure: Failure | None) -> None:
    before = target.health.state
    if failure is None:
        target.health.passed(group.told.health_check)
    else:
        target.health.failed(group.told.health_check, failure)
    if target.health.state != before:
        because = f": {failure.description}" if failure else ""
        log.info("%s of %s is %s%s", target_id, group.told.name, target.health.state, because)
