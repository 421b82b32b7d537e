"""Which of the registered targets answer, seen by asking each of them every few seconds."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import aiohttp

from link.shared.records import Target

TIMEOUT = 2.0
FAILURES_TO_DOWN = 2
APART = 0.02  # seconds between the first checks of targets that appear together

State = Literal["UP", "DOWN", "UNKNOWN"]


class Refused(Exception):
    """Nothing listens at the target's address."""


@dataclass
class Verdict:
    """What the checks of one target have shown so far, and why."""

    state: State = "UNKNOWN"
    reason: str = "not checked yet"
    failures: int = 0

    def passed(self) -> None:
        """A check succeeded."""
        self.state, self.reason, self.failures = "UP", "GET / answered 200", 0

    def failed(self, reason: str, final: bool) -> None:
        """A check failed; a final failure (nothing listens) counts at once, any other one when it is repeated."""
        self.failures += 1
        self.reason = reason
        if final or self.failures >= FAILURES_TO_DOWN:
            self.state = "DOWN"


class Monitor:
    """Checks `GET /` of every target it was last told about, each every `interval` seconds."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._verdicts: dict[Target, Verdict] = {}
        self._checks: dict[Target, asyncio.Task[None]] = {}
        self._changed = asyncio.Condition()
        self._http: aiohttp.ClientSession | None = None

    def verdict(self, target: Target) -> Verdict:
        """Return what is known of the target."""
        return self._verdicts.get(_free(target), Verdict())

    def is_up(self, target: Target) -> bool:
        """Whether the target answers."""
        return self.verdict(target).state == "UP"

    def refused(self, target: Target) -> None:
        """A request found that nothing listens there; it is down until a check passes."""
        if verdict := self._verdicts.get(_free(target)):
            verdict.failed("connection refused", final=True)

    def watch(self, targets: Iterable[Target]) -> None:
        """Check these targets from now on and forget all others. New ones are checked at once."""
        wanted = {_free(target) for target in targets}
        for target in self._checks.keys() - wanted:
            self._checks.pop(target).cancel()
            del self._verdicts[target]
        for number, target in enumerate(sorted(wanted - self._checks.keys(), key=lambda target: target.url)):
            self._verdicts[target] = Verdict()
            self._checks[target] = asyncio.create_task(self._check_often(target, number * APART))

    async def settle(self, targets: Iterable[Target], timeout: float) -> None:
        """Wait until each of these targets is known to be up or down, `timeout` seconds at most."""
        waiting = list(targets)
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(lambda: all(self.verdict(one).state != "UNKNOWN" for one in waiting))
        except TimeoutError:
            return

    async def close(self) -> None:
        """Stop checking."""
        self.watch([])
        if self._http is not None:
            await self._http.close()

    async def _check_often(self, target: Target, delay: float) -> None:
        await asyncio.sleep(delay)
        while True:
            await self._check(target)
            async with self._changed:
                self._changed.notify_all()
            await asyncio.sleep(self._interval)

    async def _check(self, target: Target) -> None:
        if self._http is None:
            self._http = checking_session()
        verdict = self._verdicts[target]
        try:
            await probe(self._http, target)
        except Refused as error:
            verdict.failed(str(error), final=True)
        except (aiohttp.ClientError, TimeoutError) as error:
            verdict.failed(f"GET / failed: {error or type(error).__name__}", final=False)
        else:
            verdict.passed()


def checking_session() -> aiohttp.ClientSession:
    """Return a session that connects anew for every check: a kept connection says little about who listens now."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=TIMEOUT))


async def probe(http: aiohttp.ClientSession, target: Target) -> None:
    """Return when the target answers `GET /` with 200; raises `Refused`, `aiohttp.ClientError` or `TimeoutError`."""
    try:
        async with http.get(target.url + "/") as response:
            if response.status != 200:
                raise aiohttp.ClientError(f"status {response.status}")
            await response.read()
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, ConnectionRefusedError):
            raise Refused("connection refused") from error
        raise


def _free(target: Target) -> Target:
    """A target that is given to a tenant is still the same process."""
    return Target(target.url, target.created, target.version)
