"""A proxy process that a test tells directly what to be, without moto."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientSession, ClientTimeout

from tests.local.balancers.cloud import eventually
from tests.local.balancers.targets import TargetServer
from tests.waiting import free_port
from tyrell.local.balancers import config
from tyrell.local.balancers.process import ProxyProcess

Seen = TypeVar("Seen")

ADDRESS = "127.35.100.1"
_targets = itertools.count(1)


def next_address() -> str:
    """An address for one more target."""
    return f"127.35.101.{next(_targets)}"


async def soon(look: Callable[[], Seen], ready: Callable[[Seen], bool] = bool, seconds: float = 20) -> Seen:
    """What `look` sees as soon as it is `ready`, while the event loop goes on; fails when the time is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not ready(seen := look()):
        assert loop.time() < deadline, f"not within {seconds} s; last seen: {seen}"
        await asyncio.sleep(0.02)
    return seen


def group(*targets: TargetServer, draining: bool = False, **settings: Any) -> config.TargetGroup:
    """A target group of servers, checked every 0.2 s unless `settings` say otherwise."""
    check = {"path": "/health", "port": None, "interval": 0.2, "timeout": 0.5, "codes": "200"}
    thresholds = {"healthy_threshold": 2, "unhealthy_threshold": 2}
    told = {name: settings.pop(name) for name in list(settings) if name in check | thresholds}
    return config.TargetGroup(
        name="group",
        deregistration_delay=settings.pop("deregistration_delay", 5),
        health_check=config.HealthCheck.model_validate(check | thresholds | told),
        targets={
            target.name: config.Target(address=target.address, port=target.port, draining=draining)
            for target in targets
        },
        **settings,
    )


class ToldProxy:
    """The process, listening on one port at ADDRESS with a default rule."""

    def __init__(self, home: Path, source: str | None = None) -> None:
        self.port = free_port(ADDRESS)
        self.url = f"http://{ADDRESS}:{self.port}"
        self.log = home / "proxy.log"
        self.process = ProxyProcess(home / "proxy.sock", self.log, source)

    def tell(
        self,
        *groups: config.TargetGroup,
        weights: tuple[int, ...] = (),
        rules: tuple[config.Rule, ...] = (),
        **balancer: Any,
    ) -> None:
        """Forward to groups ("0", "1", ...) by weights; returns when the proxy has taken it over."""
        named = {str(number): each for number, each in enumerate(groups)}
        default = config.Forward(weights=dict(zip(named, weights or [1] * len(named), strict=True)))
        told = config.Balancer(
            name="told",
            address=ADDRESS,
            listeners=(config.Listener(port=self.port, rules=(*rules, config.Rule(arn="default", action=default))),),
            target_groups=named,
            **balancer,
        )
        self.process.ensure_running()
        state = eventually(lambda: self.process.tell(told), lambda state: state is not None)
        assert state is not None
        assert state.failed_listeners == {}

    def measured(self) -> Counter[str]:
        """How many samples of each metric came since the last call."""
        samples: Counter[str] = Counter()
        for each in self.process.take_samples():
            samples[each.metric] += sum(each.counts.values())
        return samples

    def group(self, number: int = 0) -> config.GroupState:
        """What the proxy sees of a group."""
        state = self.process.state()
        assert state is not None
        return state.target_groups[str(number)]

    def target(self, target: TargetServer) -> config.TargetState:
        """What the proxy sees of a target of the first group."""
        return self.group().targets[target.name]

    async def healthy(self, *targets: TargetServer) -> None:
        """Wait until these are all healthy."""
        await soon(lambda: [self.target(target).state for target in targets], lambda seen: set(seen) == {"healthy"})


async def name(client: ClientSession, path: str = "/") -> str:
    """The name of the target that answers."""
    async with client.get(path) as answer:
        assert answer.status == 200
        return await answer.text()


async def status(client: ClientSession, path: str = "/", method: str = "GET") -> int:
    """The status of the answer."""
    async with client.request(method, path, timeout=ClientTimeout(total=5)) as answer:
        return answer.status
