"""Metrics for the statsd agent of this machine: one UDP datagram each, sent and forgotten.

https://github.com/statsd/statsd/blob/master/docs/metric_types.md, with tags as Telegraf reads them:
https://github.com/influxdata/telegraf/blob/master/plugins/inputs/statsd/README.md#influx-statsd
"""

import contextlib
import re
import socket
from urllib.parse import urlencode

from link.shared.environment import Environment

PORT = 8125

Address = tuple[str, int]

_SEPARATORS = re.compile(r"[:|,=\s]")


class Statsd:
    """Sends to the agent at `address`. Never waits and never fails: a metric that cannot go now is lost.

    Tags are written for Telegraf (`name,tag=value:1|c`) or, without `telegraf`, as the original components write them
    for other agents (`name?tag=value:1|c`). `tags` go with every metric.
    """

    def __init__(self, address: Address, *, telegraf: bool, **tags: str) -> None:
        self._address = address
        self._telegraf = telegraf
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
        with contextlib.suppress(OSError):
            line = f"{self._key(name, self._tags | tags)}:{value}"
            self._socket.sendto(line.encode(errors="replace"), self._address)

    def _key(self, name: str, tags: dict[str, str]) -> str:
        if self._telegraf:
            return ",".join([name, *(f"{tag}={_SEPARATORS.sub('_', value)}" for tag, value in tags.items())])
        return f"{name}?{urlencode(tags, errors='replace')}" if tags else name


def open_statsd(environment: Environment, **tags: str) -> Statsd:
    """Return a client of the agent at STATSD_HOST (this machine's own), which is Telegraf if INFLUXDB_HOST is set."""
    address = environment.ipv4_and_port("STATSD_HOST", f"{environment.address()}:{PORT}")
    return Statsd(address, telegraf=bool(environment.text("INFLUXDB_HOST", "")), **tags)
