"""Starting, stopping and asking the embedded cloud from other processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from tasks.errors import TyrellError, UsageError
from tasks.model import Patience
from tasks.roles import load_role, role_names
from tasks.waits import NotYet, wait_until
from tyrell.local.machines import processes
from tyrell.local.machines.ports import wildcard_listeners
from tyrell.local.settings import Settings
from tyrell.local.state import State, forget_state, is_daemon, read_record, read_state

STARTING = Patience(timeout=timedelta(seconds=120), every=timedelta(seconds=0.1))
STOPPING = Patience(timeout=timedelta(seconds=40), every=timedelta(seconds=0.1))
ETCD_PEERS = 2380
METADATA_PORT = 80


def up(settings: Settings, *, prefect_port: int, balancer_port: int) -> State:
    """Start the cloud and return when it is ready; a cloud that is up already is left alone.

    Raises UsageError when this machine cannot carry it, TyrellError with its own last words when it does not start.
    """
    running = read_state(settings.home)
    if running:
        return running
    check_machine(settings, balancer_port)
    sweep(settings.home)
    if settings.machines == "docker":
        prepare_engine(settings)
    settings.logs.mkdir(parents=True, exist_ok=True)
    log = settings.logs / "cloud.log"
    command = [sys.executable, "-m", "tyrell.local.daemon", settings.model_dump_json()]
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            [*command, "--prefect-port", str(prefect_port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def look() -> State | NotYet:
        if daemon.poll() is not None:
            sweep_engine(settings)
            raise TyrellError(f"the embedded cloud ended at its start: {_last_line(log)} (see {log})")
        return read_state(settings.home) or NotYet(_last_line(log))

    return wait_until("the embedded cloud to start", look, STARTING)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it has said nothing yet"


def check_machine(settings: Settings, balancer_port: int) -> None:
    """Refuse, in one sentence, a machine that cannot carry the cloud: no Linux, a port taken, a port too low."""
    if sys.platform != "linux":
        raise UsageError("the embedded cloud needs Linux: only there any loopback address can be used; use a Linux VM")
    if settings.machines == "docker":
        _refuse_taken({settings.port, balancer_port, METADATA_PORT})
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            raise UsageError(f"port {settings.port} of {settings.host} is taken; choose another with --port") from None
    _refuse_taken({balancer_port, ETCD_PEERS, *_role_ports()})


def _refuse_taken(ports: set[int]) -> None:
    taken = wildcard_listeners(ports)
    if taken:
        raise UsageError(f"{taken[0]}, so no machine of the embedded cloud could use it; stop it first")


def _role_ports() -> set[int]:
    services = [service for name in role_names() for service in load_role(name).services]
    templated = {each.first_port + index for each in services for index in range(each.count) if each.first_port}
    return templated | {load_role(name).health.port for name in role_names()}


def down(home: Path) -> bool:
    """Stop the cloud of `home` and everything it started; False when there was nothing to stop."""
    state = read_state(home)
    if state:
        os.kill(state.pid, signal.SIGTERM)
        try:
            wait_until(
                "the embedded cloud to stop",
                lambda: not is_daemon(state.pid) or NotYet(f"process {state.pid} is still there"),
                STOPPING,
            )
        except TyrellError:
            os.kill(state.pid, signal.SIGKILL)
    left = sweep(home)
    forget_state(home)
    return bool(state or left)


def sweep(home: Path) -> int:
    """Remove what the last cloud of `home` has left; how much that was."""
    record = read_record(home)
    return processes.sweep(Settings(home=home)) + (sweep_engine(record.settings) if record else 0)


def sweep_engine(settings: Settings) -> int:
    """Remove what a cloud with containers has left in the Docker Engine; how much that was."""
    if settings.machines == "processes":
        return 0
    from tyrell.local.containers.sweep import sweep as sweep_containers  # noqa: PLC0415  Docker's SDK is slow to import

    return sweep_containers(settings)


def prepare_engine(settings: Settings) -> None:
    """Refuse a machine that cannot carry containers, and make their base image here, where it may take minutes."""
    from tyrell.local.containers.base_image import ensure_base_image  # noqa: PLC0415  Docker's SDK is slow to import
    from tyrell.local.containers.firewall import check_programs  # noqa: PLC0415
    from tyrell.local.containers.network import Bridge  # noqa: PLC0415

    Bridge(settings).check()
    check_programs()
    ensure_base_image()


def free_port(preferred: int, host: str = "127.0.0.1") -> int:
    """`preferred` when nobody has it, else one that the system gives."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise UsageError(f"no port of {host} is free")
