"""A Prefect server of the embedded cloud's own: one process, its runs kept as long as the cloud lives."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from datetime import timedelta

from tasks.clients import http_status
from tasks.errors import TyrellError
from tasks.model import Patience
from tasks.waits import NotYet, wait_until
from tyrell.local.machines.processes import DIES_WITH_ITS_PARENT
from tyrell.local.settings import Settings

logger = logging.getLogger(__name__)

DATABASE = "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true&check_same_thread=false"
"""In memory Prefect uses one connection. With a file it uses several, and flows that start at the same time then meet
`database is locked`, which the server answers with 503 and the client with growing pauses, up to a minute."""

STARTING = Patience(timeout=timedelta(seconds=90), every=timedelta(seconds=0.2))


class PrefectServer:
    """The server as a child process; `start` returns at once, `await_ready` when it answers."""

    def __init__(self, settings: Settings, port: int) -> None:
        self._settings = settings
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start uvicorn with Prefect's application, as `prefect server start` does, without its second process."""
        host, port = self._settings.host, str(self._port)
        self._settings.logs.mkdir(parents=True, exist_ok=True)
        address = ("--host", host, "--port", port, "--timeout-graceful-shutdown", "2")
        application = "prefect.server.api.server:create_app"
        with (self._settings.logs / "prefect.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*DIES_WITH_ITS_PARENT, sys.executable, "-m", "uvicorn", "--factory", application, *address],
                env=os.environ | self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        url = f"http://{self._settings.host}:{self._port}/api"
        return {
            "PREFECT_HOME": str(self._settings.home / "prefect"),
            "PREFECT_API_DATABASE_CONNECTION_URL": DATABASE,
            "PREFECT_API_URL": url,
            "PREFECT_UI_API_URL": url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        }

    def await_ready(self) -> None:
        """Wait until the server answers. Raises TyrellError when it ended instead, Expired after 90 s."""

        def look() -> bool | NotYet:
            if self._process is None or self._process.poll() is not None:
                raise TyrellError(f"the Prefect server ended; see {self._settings.logs / 'prefect.log'}")
            answer = http_status(f"http://{self._settings.host}:{self._port}/api/health")
            return answer == "200" or NotYet(answer)

        wait_until("the Prefect server to answer", look, STARTING)

    def revive(self) -> None:
        """Start the server again if it has ended; the runs it knew are gone with it."""
        if self._process and self._process.poll() is not None:
            logger.warning("the Prefect server ended with status %s: starting it again", self._process.returncode)
            self.start()

    def stand_still(self, still: bool) -> None:
        """Answer nobody, or everybody again."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGSTOP if still else signal.SIGCONT)

    def stop(self) -> None:
        """End the server; it is killed when it takes longer than 10 s."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
