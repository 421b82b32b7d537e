"""Metrics for the statsd agent of this machine: one UDP datagram each, sent and forgotten.

https://github.com/statsd/statsd/blob/master/docs/metric_types.md, with tags as Telegraf and `link.metrics_agent` read
them: https://github.com/influxdata/telegraf/blob/master/plugins/inputs/statsd/README.md#influx-statsd
"""

import contextlib
import re
import socket

from link.shared.environment import Environment

PORT = 8125

Address = tuple[str, int]

_SEPARATORS = re.compile(r"[:|,=\s]")


class Statsd:
    """Sends to the agent at `address`. Never waits and never fails: a metric that cannot go now is lost.

    `tags` go with every metric: `name,tag=value:1|c`.
    """

    def __init__(self, address: Address, **tags: str) -> None:
        self._address = address
        self._tags = tags
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def count(self, name: str, value: int = 1, **tags: str) -> None:
        """Add to a counter."""
        self._send(name, tags, f"{value}|c")

    def gauge(self, name: str, value: int, **tags: str) -> None:
        """Say how much of something there is now."""
        self._send(name, tags, f"{value}|g")

    def timing(self, name: str, seconds: float, **tags: str) -> None:
        """Say how long something took; it travels in milliseconds."""
        self._send(name, tags, f"{seconds * 1000:.3f}|ms")

    def close(self) -> None:
        """Close the socket; what is sent afterwards is lost."""
        self._socket.close()

    def _send(self, name: str, tags: dict[str, str], value: str) -> None:
        pairs = (f"{tag}={_SEPARATORS.sub('_', text)}" for tag, text in (self._tags | tags).items())
        with contextlib.suppress(OSError):
            self._socket.sendto(f"{','.join([name, *pairs])}:{value}".encode(errors="replace"), self._address)


def agent_address(environment: Environment) -> Address:
    """Where the agent listens: STATSD_HOST, or this machine's own port 8125."""
    return environment.ipv4_and_port("STATSD_HOST", f"{environment.address()}:{PORT}")


def open_statsd(environment: Environment, **tags: str) -> Statsd:
    """Return a client of the agent of this machine."""
    return Statsd(agent_address(environment), **tags)
