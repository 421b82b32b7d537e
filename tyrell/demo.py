"""The demo: the embedded cloud, a Prefect server and a whole stack on them, until Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import sys

from rich.panel import Panel

from tyrell.environment import LOCAL_BALANCER_PORT, Cloud, enter
from tyrell.local.control import down, free_port, up
from tyrell.local.settings import Settings
from tyrell.local.state import default_home
from tyrell.run import notes, out

PREFECT_PORT = 4200


def run_demo(stack: str, *, detach: bool) -> None:
    """Start everything, show it, and stop it again when a person presses Ctrl-C, or leave it running."""
    settings = Settings(home=default_home())
    kept = False
    try:
        with notes.status("starting the embedded cloud and a Prefect server"):
            up(settings, prefect_port=free_port(PREFECT_PORT), balancer_port=LOCAL_BALANCER_PORT)
        url = _bring_up(stack)
        out.print(Panel.fit(_try_next(stack, url), title="try next", title_align="left"))
        if detach:
            kept = True
            return
        out.print("Ctrl-C stops everything.")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        if not kept:
            with notes.status("stopping everything"):
                down(settings.home)


def _bring_up(stack: str) -> str:
    place = enter(Cloud.local)
    from tyrell.bring_up import bring_up_and_show, wanted  # noqa: PLC0415  after `enter`, see cli.py

    network, base = wanted(stack, "", "", 0, place)
    overview = bring_up_and_show(network, base, ami="", version="", sizes={}, place=place, json=False)
    return overview.url


def _try_next(stack: str, url: str) -> str:
    tyrell = "tyrell" if shutil.which("tyrell") else os.path.relpath(sys.argv[0])
    return "\n".join(
        (
            f"curl -H 'x-apigee-iot-tenant-id: acme' {url}/",
            f"{tyrell} status {stack}",
            f"{tyrell} upgrade router --version two --no-gate --pause 5",
            f"{tyrell} metrics up {stack}-metrics --network {stack}-network && {tyrell} metrics attach {stack}",
            f"{tyrell} local status            # every instance",
            f"{tyrell} local logs INSTANCE     # what its processes say",
            f"{tyrell} local down",
        )
    )
