"""Stands in for Grafana and Loki: tells over HTTP what it was started with, as whom, and what it finds."""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STATE = Path(os.environ["STATE_DIRECTORY"]) / "starts"
FILES = Path(os.environ["FILES"])


def told() -> dict[str, object]:
    """Everything, as it is now."""
    return {
        "environment": dict(os.environ),
        "arguments": sys.argv[1:],
        "user": os.getuid(),
        "starts": STATE.read_text().count("\n"),
        "files": sorted(str(path.relative_to(FILES)) for path in FILES.rglob("*") if path.is_file()),
        "may write files": os.access(FILES, os.W_OK),
    }


class Telling(BaseHTTPRequestHandler):
    """Answers everything with all of it."""

    def do_GET(self) -> None:
        """All of it."""
        body = json.dumps(told()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with STATE.open("a") as starts:
        starts.write("started\n")
    ThreadingHTTPServer(("", int(os.environ["PORT"])), Telling).serve_forever()
