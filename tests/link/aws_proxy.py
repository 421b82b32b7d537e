"""A proxy before AWS that can do harm at a chosen call: refuse it, hold it, lose its answer, or kill who makes it."""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from tests.link.aws_server import HOST

REFUSED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"

SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
"""Whom a signed request is for: the scope of its credential says it. One to another server has none."""


class Call(NamedTuple):
    """One request to AWS: the SQS operation or the HTTP method, and the S3 key, if there is one."""

    number: int
    operation: str
    key: str
    service: str
    """Of AWS; empty when it was no request to AWS."""
    at: float
    """On the monotonic clock."""


class Lost(Exception):
    """The call was made, its answer does not arrive."""


class Refusal(Exception):
    """The call is answered with AccessDenied."""


class Proxy:
    """`before` and `after` see every call; they may block, kill, or raise `Lost` or `Refusal`."""

    def __init__(self) -> None:
        self.before: Callable[[Call], None] = lambda _: None
        self.after: Callable[[Call], None] = lambda _: None
        self.calls: list[Call] = []
        self.url = ""

    @classmethod
    @contextlib.contextmanager
    def to(cls, url: str) -> Iterator[Proxy]:
        """Run a proxy to the AWS at this URL on a free port."""
        proxy = cls()
        authority = urlsplit(url).netloc

        class Handler(BaseHTTPRequestHandler):
            """Forwards one call."""

            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                operation = self.headers.get("X-Amz-Target", self.command).rpartition(".")[2]
                _, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
                signed = SERVICE.search(self.headers.get("Authorization", ""))
                call = Call(len(proxy.calls) + 1, operation, key, signed[1] if signed else "", time.monotonic())
                proxy.calls.append(call)
                try:
                    proxy.before(call)
                    upstream = http.client.HTTPConnection(authority, timeout=30)
                    upstream.request(self.command, self.path, body, dict(self.headers))
                    answer = upstream.getresponse()
                    content = answer.read()
                    upstream.close()
                    proxy.after(call)
                except Refusal:
                    self.send_response(403)
                    self._send({"Content-Type": "application/xml"}, REFUSED)
                except Lost:
                    self.close_connection = True
                else:
                    self.send_response_only(answer.status, answer.reason)
                    self._send(dict(answer.getheaders()), content)

            def _send(self, headers: dict[str, str], content: bytes) -> None:
                length = headers.get("Content-Length", str(len(content))) if self.command == "HEAD" else len(content)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(length))
                with contextlib.suppress(ConnectionError):
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815  the names http.server calls

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer((HOST, 0), Handler)
        proxy.url = f"http://{HOST}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            server.server_close()
