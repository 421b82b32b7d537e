"""A router, a target and a tenant API of somebody else's, which know etcd by its v2 API only.

As the original Link components: the router says at `/state` whom it sees up and never which version is live, it gives
targets to tenants by comparing whole records, and targets neither register themselves nor heed SIGTERM.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

ETCD = f"http://{os.environ['ETCD_PEER_HOSTS'].split(',', maxsplit=1)[0]}/v2/keys"
TENANT = "x-apigee-iot-tenant-id"


def ask(url: str, method: str = "GET", form: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and JSON; 0 when nobody answers."""
    try:
        request = Request(url, urlencode(form).encode() if form else None, method=method)  # noqa: S310  always http
        with urlopen(request, timeout=3) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except URLError as error:
        return getattr(error, "code", 0), None


def records() -> dict[str, str]:
    """What is registered, by key."""
    _, found = ask(f"{ETCD}/services/zetta?recursive=true")
    return {node["key"]: node["value"] for node in found["node"].get("nodes", [])} if found else {}


class Answering(BaseHTTPRequestHandler):
    """What all three have in common."""

    def say(self, status: int, body: object) -> None:
        """Answer in JSON."""
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Target(Answering):
    """Says who it is, and starts anew when it is told to."""

    def do_GET(self) -> None:
        """Its environment."""
        self.say(200, dict(os.environ))

    def do_DELETE(self) -> None:
        """`/restart`."""
        self.say(204, None)
        threading.Timer(0.5, os._exit, (0,)).start()


class TenantApi(Answering):
    """Works once there is something to manage."""

    def do_GET(self) -> None:
        """How many targets there are."""
        self.say(200 if records() else 500, {"targets": len(records())})


class Router(Answering):
    """Passes each tenant's requests on to a target of the live version."""

    up: ClassVar[dict[str, bool]] = {}

    @classmethod
    def look(cls) -> None:
        """Check every target, for ever."""
        while True:
            cls.up = {json.loads(value)["url"]: False for value in records().values()} | cls.up
            cls.up = {url: ask(f"{url}/")[0] == 200 for url in cls.up}
            threading.Event().wait(1)

    def do_GET(self) -> None:
        """`/state`, or a tenant's request."""
        if self.path == "/state":
            told = [{"properties": {"url": url, "status": "UP" if up else "DOWN"}} for url, up in self.up.items()]
            self.say(200, {"class": ["router-state"], "properties": {}, "entities": told})
            return
        target = self.find_target(self.headers.get(TENANT, "default"))
        self.say(*(ask(f"{target}/") if target else (503, {"error": "no target"})))

    def find_target(self, tenant: str) -> str:
        """The tenant's own target of the live version, or a free one that is given to it now."""
        live = json.loads(ask(f"{ETCD}/zetta/version")[1]["node"]["value"])["version"]
        found = {key: json.loads(value) for key, value in records().items()}
        for record in found.values():
            if (record["version"], record.get("tenantId")) == (live, tenant):
                return str(record["url"])
        for key, free in found.items():
            if free["version"] == live and "tenantId" not in free:
                before = json.dumps(free, separators=(",", ":"))
                after = {"type": free.pop("type"), "tenantId": tenant, **free}
                form = {"value": json.dumps(after, separators=(",", ":"))}
                if ask(f"{ETCD}{key}?{urlencode({'prevValue': before})}", "PUT", form)[0] == 200:
                    return str(free["url"])
        return ""


PROGRAMS: dict[str, tuple[type[Answering], str]] = {
    "router": (Router, "PORT"),
    "target": (Target, "MAPPED_PORT"),
    "tenant-mgmt-api": (TenantApi, "PORT"),
}

if __name__ == "__main__":
    program, port = PROGRAMS[os.environ["PROGRAM"]]
    if program is Router:
        threading.Thread(target=Router.look, daemon=True).start()
    if program is Target:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ThreadingHTTPServer(("", int(os.environ[port])), program).serve_forever()
