"""The instance metadata service (IMDSv2) of all instances of a cloud: who asks is known by the address it asks from.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
"""

from __future__ import annotations

import logging
import secrets
import socket
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from botocore.exceptions import ClientError

from tyrell.local.containers.credentials import role_credentials
from tyrell.local.containers.facts import Facts
from tyrell.local.containers.metadata_tree import CREDENTIALS, answer
from tyrell.local.settings import Settings

log = logging.getLogger(__name__)

ADDRESS = "169.254.169.254"
PORT = 80
VERSIONS = ("1.0", "2009-04-04", "2016-09-02", "2018-09-24", "2019-10-01", "2021-03-23", "latest")
LONGEST_SECONDS = 21600
TOKEN_PATH = "/latest/api/token"  # noqa: S105  a path
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105  a header's name


class MetadataService:
    """Answers at 169.254.169.254 on one network interface only, so clouds side by side have one each."""

    def __init__(self, settings: Settings, interface: str) -> None:
        self._settings = settings
        self._interface = interface
        self._known: dict[str, Facts] = {}
        self._tokens: dict[str, tuple[str, float]] = {}
        self._making_token = Lock()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen; the interface has the address already. Raises OSError when port 80 is taken."""
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = _Server((ADDRESS, PORT), handler, bind_and_activate=False)
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode())
        self._server.server_bind()
        self._server.server_activate()
        Thread(target=self._server.serve_forever, name="instance metadata", daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def tell(self, facts: Facts) -> None:
        """Answer the instance with these facts from now on."""
        self._known[facts.metadata.local_ipv4] = facts

    def forget(self, address: str) -> None:
        """Nobody has this address any more."""
        self._known.pop(address, None)

    def make_token(self, address: str, seconds: int) -> str:
        """A token for the instance at `address` for that long."""
        now, token = time.monotonic(), secrets.token_urlsafe(40)
        with self._making_token:
            good = {old: use for old, use in self._tokens.items() if use[1] > now}
            self._tokens = good | {token: (address, now + seconds)}
        return token

    def accepts(self, address: str, token: str) -> bool:
        """Whether the token was given to `address` and is still good."""
        owner, expiry = self._tokens.get(token, ("", 0.0))
        return owner == address and time.monotonic() < expiry

    def find(self, address: str, path: str) -> str | None:
        """What the instance at `address` reads at `path`; None when there is nothing, or no such instance."""
        facts = self._known.get(address)
        version, _, rest = path.strip("/").partition("/")
        if facts is None or (version and version not in VERSIONS):
            return None
        if not version:
            return "\n".join(VERSIONS)
        if facts.profile and rest == CREDENTIALS + facts.profile:
            return self._credentials(facts)
        return answer(facts, rest)

    def _credentials(self, facts: Facts) -> str | None:
        try:
            return role_credentials(self._settings, facts.profile, facts.metadata.instance_id)
        except (ClientError, IndexError) as problem:
            log.warning("no credentials of %s for %s: %s", facts.profile, facts.metadata.instance_id, problem)
            return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)  # without HTTPServer's question to DNS what its own name is


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    service: MetadataService
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"

    def do_PUT(self) -> None:
        seconds = self.headers.get(TTL_HEADER, "")
        if self.path != TOKEN_PATH:
            self._send(HTTPStatus.NOT_FOUND)
        elif not seconds.isdigit() or not 1 <= int(seconds) <= LONGEST_SECONDS:
            self._send(HTTPStatus.BAD_REQUEST)
        else:
            self._send(HTTPStatus.OK, self.service.make_token(self._client, int(seconds)), {TTL_HEADER: seconds})

    def do_GET(self) -> None:
        if not self.service.accepts(self._client, self.headers.get(TOKEN_HEADER, "")):
            self._send(HTTPStatus.UNAUTHORIZED)
            return
        found = self.service.find(self._client, self.path)
        self._send(HTTPStatus.NOT_FOUND if found is None else HTTPStatus.OK, found or "")

    @property
    def _client(self) -> str:
        return str(self.client_address[0])

    def _send(self, status: HTTPStatus, text: str = "", headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Requests are not logged: there are many, and credentials are among them."""
