"""What happens when a service has enough: all callers of the process try again, ever later, and all get answers."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks import clients
from tasks.clients import cloudformation
from tests.link.aws_server import HOST, REGION

pytestmark = pytest.mark.cloud  # it takes seconds: it is about waiting

CALLERS, EACH, PER_SECOND = 20, 5, 20
ANSWER = "<DescribeStacksResponse><DescribeStacksResult><Stacks/></DescribeStacksResult></DescribeStacksResponse>"
THROTTLED = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"


class Limited:
    """A CloudFormation that answers so many calls in any second, and tells all others that it has had enough."""

    def __init__(self) -> None:
        self.answered, self.refused = 0, 0
        self._lately: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self) -> bool:
        """Whether this call is answered."""
        with self._lock:
            now = time.monotonic()
            while self._lately and self._lately[0] < now - 1:
                self._lately.popleft()
            admitted = len(self._lately) < PER_SECOND
            if admitted:
                self._lately.append(now)
            self.answered += admitted
            self.refused += not admitted
            return admitted


@contextmanager
def serving(limited: Limited) -> Iterator[str]:
    """The URL of it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, text = (200, ANSWER) if limited.admit() else (400, THROTTLED)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_callers_that_are_throttled_all_get_their_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = Limited()
    with serving(limited) as url:
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        for name, value in {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": REGION, **credentials}.items():
            monkeypatch.setenv(name, value)
        clients.forget()

        def call(_: int) -> None:
            for _ in range(EACH):
                cloudformation().describe_stacks()

        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(call, range(CALLERS)))
    clients.forget()
    assert limited.answered == CALLERS * EACH, "every call was answered in the end"
    assert limited.refused, "they were throttled"
