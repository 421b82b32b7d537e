"""Security groups, enforced: a packet filter inside every container, and one on the bridge for load balancers."""

from __future__ import annotations

import logging
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.errors import TyrellError, UsageError
from tyrell.local.containers.security_groups import packet_filter, read_allowed
from tyrell.local.settings import Settings

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.5
STOP_SECONDS = 10
TABLE = "tyrell"
INTERFACE = "eth0"
"""As Docker calls a container's first one."""


class Firewall:
    """Has the packet filters follow the rules, and who is in which group, within about a second.

    `bridge` is the name of the bridge, and of the table with the filter on it.
    """

    def __init__(self, settings: Settings, bridge: str) -> None:
        self._settings = settings
        self._bridge = bridge
        self._pids: dict[str, int] = {}
        self._loaded: dict[int | None, str] = {}
        self._following = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="firewall", daemon=True)

    def start(self) -> None:
        """Begin to follow. Raises TyrellError when this computer's kernel has no such filters."""
        self._follow()
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the filters stay."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def guard(self, address: str, pid: int) -> None:
        """Filter what comes to the container at `address`, of which `pid` is a process. Raises TyrellError."""
        with self._following:
            self._pids[address] = pid
            self._load_inside(address, pid, read_allowed(self._settings))

    def forget(self, address: str) -> None:
        """That container is off, and its filter gone with it."""
        self._loaded.pop(self._pids.pop(address, None), None)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_SECONDS):
            try:
                self._follow()
            except Exception:
                log.exception("security groups are not enforced as they should be; trying again")

    def _follow(self) -> None:
        with self._following:
            allowed = read_allowed(self._settings)
            self._load(packet_filter(self._bridge, self._bridge, self._settings.host, allowed))
            for address, pid in list(self._pids.items()):
                if Path(f"/proc/{pid}").exists():
                    self._load_inside(address, pid, allowed)
                else:
                    self.forget(address)

    def _load_inside(self, address: str, pid: int, allowed: Mapping[str, Sequence[str]]) -> None:
        own = {address: allowed.get(address, ())}
        self._load(packet_filter(TABLE, INTERFACE, self._settings.host, own), pid)

    def _load(self, script: str, pid: int | None = None) -> None:
        if self._loaded.get(pid) != script:
            load(script, pid)
            self._loaded[pid] = script


def check_programs() -> None:
    """Raises UsageError when one is missing."""
    for program, package in (("nft", "nftables"), ("nsenter", "util-linux")):
        if shutil.which(program) is None:
            raise UsageError(f"--machines docker needs the program `{program}` (package {package}) for security groups")


def remove_table(bridge: str) -> None:
    """Remove the filter on the bridge; none is fine. Raises TyrellError."""
    load(f"table ip {bridge}\ndelete table ip {bridge}\n")


def load(script: str, pid: int | None = None) -> None:
    """Give nft(8) a script, in the network namespace of a process or else this computer's. Raises TyrellError."""
    inside = ["nsenter", "--target", str(pid), "--net"] if pid else []
    done = subprocess.run([*inside, "nft", "--file", "-"], input=script, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TyrellError(f"the packet filter was not loaded: {' '.join(done.stderr.split())[:300]}")
