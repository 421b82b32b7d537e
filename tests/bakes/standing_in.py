"""Stands in for Grafana and Loki: tells over HTTP what it was started with, as whom, what it finds and is sent."""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STATE = Path(os.environ["STATE_DIRECTORY"]) / "starts"
FILES = Path(os.environ["FILES"])
PUSHED: list[str] = []
"""The bodies of the last requests to Loki's API."""


def told() -> dict[str, object]:
    """Everything, as it is now."""
    return {
        "environment": dict(os.environ),
        "arguments": sys.argv[1:],
        "user": os.getuid(),
        "starts": STATE.read_text().count("\n"),
        "files": sorted(str(path.relative_to(FILES)) for path in FILES.rglob("*") if path.is_file()),
        "may write files": os.access(FILES, os.W_OK),
        "pushed": PUSHED,
    }


class Telling(BaseHTTPRequestHandler):
    """Answers every question with all of it."""

    def do_GET(self) -> None:
        """All of it."""
        body = json.dumps(told()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Keep it, as Loki does."""
        known = self.path == "/loki/api/v1/push"
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if known:
            PUSHED[:] = [*PUSHED[-9:], body]
        self.send_response(204 if known else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with STATE.open("a") as starts:
        starts.write("started\n")
    ThreadingHTTPServer(("", int(os.environ["PORT"])), Telling).serve_forever()
