"""Settings from environment variables, and one clear sentence for a bad one."""

import ipaddress
from collections.abc import Collection, Mapping

ETCD_PORT = 4001


class SettingError(Exception):
    """An environment variable is missing or has no usable value; the text is one sentence."""


class Environment:
    """Reads settings from environment variables; raises `SettingError` for what is missing or wrong."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str | None = None) -> str:
        """Return the variable; without a default it must be there and not be empty."""
        value = self._variables.get(name, "") or default
        if value is None:
            raise SettingError(f"environment variable {name} is not set")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Return the variable as a number from `low` to `high`."""
        text = self.text(name, str(default))
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise SettingError(f"environment variable {name} must be a number from {low:g} to {high:g}, not {text!r}")
        return value

    def choice(self, name: str, options: Collection[str], default: str | None = None) -> str:
        """Return the variable, which must be one of these."""
        value = self.text(name, default)
        if value not in options:
            raise SettingError(f"environment variable {name} must be {' or '.join(options)}, not {value!r}")
        return value

    def port(self, name: str, default: int) -> int:
        """Return the variable as a TCP port."""
        return int(self.number(name, default, 1, 65535))

    def address(self) -> str:
        """Return this machine's own address, the only one a service listens on."""
        text = self.text("COREOS_PRIVATE_IPV4")
        try:
            return str(ipaddress.IPv4Address(text))
        except ValueError:
            raise SettingError(
                f"environment variable COREOS_PRIVATE_IPV4 must be an IPv4 address, not {text!r}"
            ) from None

    def ipv4_and_port(self, name: str, default: str) -> tuple[str, int]:
        """Return the variable, an `address:port`. Names are not taken: to look one up may take long."""
        text = self.text(name, default)
        address, _, port = text.rpartition(":")
        try:
            return str(ipaddress.IPv4Address(address)), _port(port)
        except ValueError:
            raise SettingError(f"environment variable {name} must be an IPv4 address:port, not {text!r}") from None

    def etcd_endpoints(self) -> list[str]:
        """Return the URLs of etcd's members: those of ETCD_PEER_HOSTS ("host:port,host:port"), else this machine's."""
        hosts = self.text("ETCD_PEER_HOSTS", f"{self.address()}:{ETCD_PORT}")
        endpoints = [host.strip() for host in hosts.split(",") if host.strip()]
        for host in endpoints:
            name, _, port = host.rpartition(":")
            if not name or "/" in name or not port.isdigit():
                raise SettingError(f"environment variable ETCD_PEER_HOSTS must be host:port,host:port, not {hosts!r}")
        return [f"http://{host}" for host in endpoints]


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError(text)
    return port
