"""The mock devices of a target, and how they look as Siren (https://github.com/kevinswiber/siren)."""

import math
from dataclasses import dataclass
from typing import Any

Siren = dict[str, Any]


@dataclass
class Device:
    """A device with one stream of readings, which can be turned on and off."""

    id: str
    type: str
    stream: str
    middle: float
    state: str = "on"

    def reading(self, seconds: float) -> float:
        """Return what it measures at this time: a slow wave, or 0 when it is off."""
        return round(self.middle + math.sin(seconds / 60) * self.middle / 10, 2) if self.state == "on" else 0.0

    @property
    def topic(self) -> str:
        """The name of its stream: type/id/stream."""
        return f"{self.type}/{self.id}/{self.stream}"

    @property
    def action(self) -> str:
        """The one action its state allows."""
        return "turn-off" if self.state == "on" else "turn-on"

    def perform(self, action: str) -> bool:
        """Perform the action; False when the state does not allow it."""
        if action != self.action:
            return False
        self.state = "off" if action == "turn-off" else "on"
        return True


def mock_devices() -> list[Device]:
    """Return the devices every target has."""
    return [
        Device("thermometer-1", "thermometer", "temperature", middle=20),
        Device("light-1", "light", "brightness", middle=400),
    ]


def root_entity(base: str, server: str, properties: Siren) -> Siren:
    """Return the entry point: who answers, and a link to its server. `base` is the URL the client used."""
    return {
        "class": ["root"],
        "properties": properties,
        "links": [
            _link("self", f"{base}/"),
            _link("http://rels.zettajs.io/server", f"{base}/servers/{server}", title=server),
            _link("http://rels.zettajs.io/events", f"{base.replace('http', 'ws', 1)}/events"),
        ],
    }


def server_entity(base: str, server: str, devices: list[Device], seconds: float) -> Siren:
    """Return a server with its devices."""
    url = f"{base}/servers/{server}"
    return {
        "class": ["server"],
        "properties": {"name": server},
        "entities": [
            device_entity(base, server, device, seconds) | {"rel": ["http://rels.zettajs.io/device"]}
            for device in devices
        ],
        "links": [_link("self", url)],
    }


def device_entity(base: str, server: str, device: Device, seconds: float) -> Siren:
    """Return a device with its reading and the action its state allows."""
    server_url = f"{base}/servers/{server}"
    url = f"{server_url}/devices/{device.id}"
    fields = [{"name": "action", "type": "hidden", "value": device.action}]
    return {
        "class": ["device", device.type],
        "properties": {
            "id": device.id,
            "type": device.type,
            "state": device.state,
            device.stream: device.reading(seconds),
        },
        "actions": [{"name": device.action, "method": "POST", "href": url, "fields": fields}],
        "links": [_link("self", url), _link("http://rels.zettajs.io/server", server_url, title=server)],
    }


def _link(rel: str, href: str, **more: str) -> Siren:
    return {"rel": [rel], "href": href} | more
