"""Link services for the tests: in this process for speed, or as the real process where its start and end matter."""

import asyncio
import contextlib
import itertools
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from link import router, target, tenant_mgmt
from link.shared.environment import Environment
from link.shared.service import serving
from tests.waiting import free_port

ROOT = Path(__file__).parents[2]
HOSTS = (f"127.31.1.{number}" for number in itertools.cycle(range(1, 250)))


@dataclass(frozen=True)
class Stack:
    """Starts services that share one etcd; all those started in this process stop with it."""

    etcd_hosts: str
    running: contextlib.AsyncExitStack

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, etcd_hosts: str) -> AsyncIterator["Stack"]:
        """A stack around this etcd, stopped at the end."""
        async with contextlib.AsyncExitStack() as running:
            yield cls(etcd_hosts, running)

    async def target(self, version: str = "v1", host: str | None = None, **settings: str) -> str:
        """Start a target and return its URL."""
        return await self._start(target.build, "MAPPED_PORT", host, {"VERSION": version} | settings)

    async def router(self, **settings: str) -> str:
        """Start a router that checks its targets often and return its URL."""
        return await self._start(router.build, "PORT", None, {"MONITOR_INTERVAL": "0.1"} | settings)

    async def tenant_api(self) -> str:
        """Start a tenant API and return its URL."""
        return await self._start(tenant_mgmt.build, "PORT", None, {})

    async def _start(
        self,
        build: Callable[[Environment], web.Application],
        port_name: str,
        host: str | None,
        settings: dict[str, str],
    ) -> str:
        variables = service_variables(self.etcd_hosts, port_name, host) | settings
        address, port = variables["COREOS_PRIVATE_IPV4"], int(variables[port_name])
        await self.running.enter_async_context(serving(build(Environment(variables)), address, port))
        return f"http://{address}:{port}"

    async def serve(self, app: web.Application, address: str, port: int) -> web.AppRunner:
        """Serve an application of the test's own; the runner returned may be cleaned up early."""
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        self.running.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, address, port).start()
        return runner


def service_variables(etcd_hosts: str, port_name: str, host: str | None = None) -> dict[str, str]:
    """Return what every service is told: an address of its own, a free port there, and where etcd is."""
    address = host or next(HOSTS)
    return {"COREOS_PRIVATE_IPV4": address, port_name: str(free_port(address)), "ETCD_PEER_HOSTS": etcd_hosts}


@contextlib.asynccontextmanager
async def service_process(
    module: str, variables: Mapping[str, str], output: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python -m <module>` with only these settings; kill it at the end if it still runs.

    What it says can be read from the process, or goes to the end of the file `output`.
    """
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | dict(variables)
    with contextlib.ExitStack() as closing:
        to = closing.enter_context(output.open("ab")) if output else asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, cwd=ROOT, env=environment, stdout=to, stderr=to
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@contextlib.asynccontextmanager
async def kept_running(module: str, variables: Mapping[str, str]) -> AsyncIterator[None]:
    """Run `python -m <module>`, and again whenever it ends cleanly, as Restart=on-success in its unit does."""

    async def keep() -> None:
        while True:
            async with service_process(module, variables, output=Path(os.devnull)) as process:
                if await process.wait() != 0:
                    return

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
