"""AWS as a process of its own, for tests in which many workers use it at once: `python -m tests.link.aws_process`."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.link.aws_server import HOST, Aws

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def aws_process() -> Iterator[Aws]:
    """Run the server on a free port, with nothing in it; it is killed in the end."""
    command = [sys.executable, "-m", "tests.link.aws_process"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            assert url, f"the server ended with exit status {process.wait(10)}"
            yield Aws(url)
        finally:
            process.kill()


def serve() -> None:
    """Serve until killed; the URL is told on standard output."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  takes seconds, and the tests only need `aws_process`

    from tyrell.local.atomic import make_atomic  # noqa: PLC0415
    from tyrell.local.own_tags import make_tags_quick  # noqa: PLC0415

    make_atomic()
    make_tags_quick()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    serve()
