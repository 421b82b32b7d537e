"""`python -m tyrell.flow_worker`: what a machine of the role flow-worker runs, a Prefect worker for its stack's flows.

Where the Prefect server is says the secret tyrell/STACK/prefect: a JSON object of Prefect's variables,
PREFECT_API_URL at least, and PREFECT_API_AUTH_STRING where the server has a password. TYRELL_WORK_POOL in it is another
work pool than `tyrell`.

A machine that is to leave its group lets its runs end first. SIGTERM does the same, as far as there is time.

Its settings are those of `SETTINGS`; PORT is that of `/health`.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import anyio
from anyio.to_thread import run_sync
from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import NotFound, TyrellError, UsageError
from tasks.lifecycle import find_left_group, hold_on, let_go
from tasks.link_modules import ROOT
from tasks.roles import load_role
from tasks.secrets import find_secret
from tyrell.commit_checkout import CHECKOUT

ROLE, SECRET, HOOK = "flow-worker", "prefect", "runs-end"
URL, POOL = "PREFECT_API_URL", "TYRELL_WORK_POOL"
RUNS = 10
"""At once, each a process of about 100 MB: docs/several-machines.md."""
LOOK = 5.0
"""Seconds between two looks at whether the machine is to go, and between two signs of life of one that is to."""
SETTINGS = ("COREOS_PRIVATE_IPV4", "PORT", "INSTANCE_ID", "ZETTA_STACK", "ZETTA_VERSION", "AWS_REGION", "FLOW_ROLES")
UNSAID = (ClientError, BotoCoreError)
"""Whatever AWS has against a call of ours, the runs go on."""


def find_settings(machine: Mapping[str, str]) -> dict[str, str]:
    """The environment of worker and runs, beside the machine's own.

    Raises UsageError when that lacks something, NotFound and UsageError about its secret.
    """
    if missing := [each for each in SETTINGS if each not in machine]:
        raise UsageError(f"{', '.join(missing)} not set; machines of the role {ROLE} have that of their user data")
    stack = machine["ZETTA_STACK"]
    name = f"tyrell/{stack}/{SECRET}"
    found = find_secret(name)
    if found is None:
        raise NotFound(f"secret {name}", load_role(ROLE).secrets[SECRET].replace("STACK", stack))
    if not found.get(URL):
        raise UsageError(f"secret {name} holds no {URL}; write it anew (docs/how-to/flow-workers.md)")
    return {
        "PREFECT_LOGGING_EXTRA_LOGGERS": "tasks",
        "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
        "PREFECT_WORKER_WEBSERVER_HOST": machine["COREOS_PRIVATE_IPV4"],
        "PREFECT_WORKER_WEBSERVER_PORT": machine["PORT"],
        CHECKOUT: str(ROOT),
        POOL: "tyrell",
        **found,
    }


class Machine:
    """This machine, as a member of its group."""

    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.group = ""
        """The group it is on its way out of; empty as long as it is not."""

    async def told_to_go(self) -> str:
        """Returns why, once the group or a signal says so."""
        reasons: list[str] = []
        async with anyio.create_task_group() as waiting:

            async def first(wait: Callable[[], Awaitable[str]]) -> None:
                reasons.append(await wait())
                waiting.cancel_scope.cancel()

            waiting.start_soon(first, self._leaving)
            waiting.start_soon(first, self._stopped)
        return reasons[0]

    async def hold_on(self) -> None:
        """For a moment; the hook would let it go if it heard nothing."""
        await anyio.sleep(LOOK)
        if self.group:
            try:
                await run_sync(hold_on, self.group, HOOK, self.instance)
            except UNSAID as error:
                print(f"that this machine holds on cannot be said: {error}", flush=True)

    def let_go(self) -> None:
        """Its work is done."""
        if self.group:
            let_go(self.group, HOOK, self.instance)

    async def _leaving(self) -> str:
        while not self.group:
            await anyio.sleep(LOOK)
            try:
                self.group = await run_sync(find_left_group, self.instance)
            except UNSAID as error:
                print(f"whether this machine is to go cannot be told: {error}", flush=True)
        return f"this machine leaves its group {self.group}"

    async def _stopped(self) -> str:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for number in signals:
                return f"this machine's worker got {number.name}"
        raise AssertionError("signals never end")


def main() -> None:
    """Run until the machine is to go. Exit status 1 with one sentence when it cannot begin."""
    os.environ.setdefault("AWS_DEFAULT_REGION", os.environ.get("AWS_REGION", "us-east-1"))
    try:
        os.environ.update(find_settings(os.environ))
    except TyrellError as error:
        sys.exit(f"flow-worker cannot start: {error}")
    # Prefect reads its settings when it is imported.
    from tyrell.draining_worker import DrainingWorker, work  # noqa: PLC0415
    from tyrell.flow_roles import ROLES, as_profiles, parse_roles  # noqa: PLC0415
    from tyrell.work_pools import load_template  # noqa: PLC0415

    machine = Machine(os.environ["INSTANCE_ID"])
    profiles = as_profiles(parse_roles(os.environ[ROLES]), machine.instance)
    config = Path(tempfile.mkdtemp(prefix="aws-")) / "config"
    config.write_text(profiles)
    os.environ["AWS_CONFIG_FILE"] = str(config)
    name = f"{os.environ['ZETTA_STACK']}-{os.environ['ZETTA_VERSION']}-{machine.instance}"
    worker = DrainingWorker(os.environ[POOL], name=name, limit=RUNS, base_job_template=load_template("process"))
    anyio.run(work, worker, machine.told_to_go, machine.hold_on)
    machine.let_go()


if __name__ == "__main__":
    main()
