"""Who else listens: a listener on all addresses takes its port from every machine and load balancer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LISTEN = "0A"  # TCP_LISTEN in include/net/tcp_states.h, as /proc/net/tcp prints it
WILDCARDS = {"0" * 8, "0" * 32}  # 0.0.0.0 and ::


@dataclass(frozen=True)
class Listener:
    """A process that listens on `port` of all addresses. `pid` and `command` are None for other users' processes."""

    port: int
    pid: int | None
    command: str | None

    def __str__(self) -> str:
        who = f"{self.command} (pid {self.pid})" if self.pid else "a process of another user"
        return f"port {self.port} is taken on all addresses by {who}"


def wildcard_listeners(ports: Iterable[int]) -> list[Listener]:
    """Who listens on one of `ports` on all addresses, over IPv4 or IPv6, sorted by port. Reads proc(5) `/proc/net`."""
    wanted = set(ports)
    sockets = {port: inode for port, inode in _wildcard_sockets() if port in wanted}
    owners = _owners(set(sockets.values())) if sockets else {}
    return [Listener(port, *owners.get(inode, (None, None))) for port, inode in sorted(sockets.items())]


def _wildcard_sockets() -> Iterator[tuple[int, str]]:
    """Port and inode of each such socket."""
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with suppress(FileNotFoundError):  # IPv6 may be switched off
            for line in table.read_text().splitlines()[1:]:
                fields = line.split()
                address, port = fields[1].split(":")
                if fields[3] == LISTEN and address in WILDCARDS:
                    yield int(port, 16), fields[9]


def _owners(inodes: set[str]) -> dict[str, tuple[int, str]]:
    """Pid and command name of the process that holds each socket, as far as we may look."""
    owners = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, or another user's
            for descriptor in (process / "fd").iterdir():
                inode = str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]")
                if inode in inodes:
                    owners[inode] = (int(process.name), (process / "comm").read_text().strip())
    return owners
