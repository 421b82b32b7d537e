"""Stands in for Loki: takes what its documentation says it takes, and nothing else, at an address that stays the same.

https://grafana.com/docs/loki/v3.2.x/reference/loki-http-api/#ingest-logs
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.waiting import free_port

HOST = "127.31.0.3"
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

Line = tuple[int, str]


def streams_of(body: Any) -> Iterator[tuple[dict[str, str], list[Line]]]:
    """The labels and lines of a push. Fails for what Loki's documentation does not allow."""
    assert set(body) == {"streams"}
    assert body["streams"]
    for stream in body["streams"]:
        assert set(stream) == {"stream", "values"}
        assert stream["stream"], "a stream needs a label"
        assert all(LABEL.fullmatch(name) and isinstance(value, str) for name, value in stream["stream"].items())
        assert stream["values"]
        lines = []
        for time, line in stream["values"]:
            assert isinstance(time, str)
            assert isinstance(line, str)
            assert re.fullmatch(r"\d{19}", time), "nanoseconds since 1970"
            lines.append((int(time), line))
        assert [time for time, _ in lines] == sorted(time for time, _ in lines)
        yield stream["stream"], lines


@dataclass
class Loki:
    """What it was sent. A line that comes twice is kept once, as Loki does; `refuses` is its answer when not 204."""

    port: int = field(default_factory=lambda: free_port(HOST))
    refuses: tuple[int, str] | None = None
    pushes: int = 0
    lines: list[tuple[str, int, str]] = field(default_factory=list)
    """Unit, time and text."""
    labels: set[tuple[tuple[str, str], ...]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it is when it runs."""
        return f"http://{HOST}:{self.port}"

    @property
    def texts(self) -> list[str]:
        """What was said, in the order in which it came."""
        assert not self.wrong
        return [text for _, _, text in self.lines]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answer until the end."""
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, said = told.take(self.path, self.headers["Content-Type"], body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(said.encode())

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer((HOST, self.port), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()

    def take(self, path: str, kind: str, body: bytes) -> tuple[int, str]:
        """The answer to a push."""
        if self.refuses:
            return self.refuses
        self.pushes += 1
        try:
            assert (path, kind) == ("/loki/api/v1/push", "application/json")
            for labels, lines in streams_of(json.loads(body)):
                self.labels.add(tuple(sorted(labels.items())))
                known = set(self.lines)
                sent = [(labels["unit"], time, line) for time, line in lines]
                self.lines += [line for line in sent if line not in known]
        except (AssertionError, ValueError, KeyError, TypeError) as error:
            self.wrong.append(f"{type(error).__name__}: {error}")
            return 400, str(error)
        return 204, ""
