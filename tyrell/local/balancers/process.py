"""One proxy process: started, spoken to over its control socket, ended."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx

from tyrell.local.balancers.config import Balancer, BalancerState, Samples, SampleSet

_STOP_DEADLINE = 3
_BETWEEN_STARTS = 1


class ProxyProcess:
    """The proxy of one load balancer, and what it was told last.

    `socket` is its control socket, `log` the file that gets what it prints; its connections to targets come from
    the address `source`, None: from whichever the system chooses. The process holds the reading end of a
    pipe as its standard input; when this object's process dies, for whatever reason, the pipe ends and the proxy too.
    """

    def __init__(self, socket: Path, log: Path, source: str | None = None) -> None:
        self._socket = socket
        self._log = log
        self._source = source
        # A connection per call: nothing to close when the process ends, and no TLS to prepare.
        transport = httpx.HTTPTransport(uds=str(socket), verify=False, limits=httpx.Limits(max_keepalive_connections=0))
        self._client = httpx.Client(transport=transport, base_url="http://proxy", timeout=5)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._told: Balancer | None = None
        self._state: BalancerState | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, None before the first start."""
        return self._process.pid if self._process else None

    def ensure_running(self) -> None:
        """Start it when it does not run; one that keeps dying is started once a second."""
        if self._process and self._process.poll() is None:
            return
        if self._process and time.monotonic() - self._started < _BETWEEN_STARTS:
            return
        self.stop()
        self._socket.parent.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tyrell.local.balancers.proxy", str(self._socket)]
        command += [self._source] if self._source else []
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        self._started = time.monotonic()

    def tell(self, balancer: Balancer) -> BalancerState | None:
        """Have it follow `balancer`, unless it does already; what it answered, None while it does not answer.

        A configuration that left a listener failed is told again, so that a port which becomes free is taken.
        """
        if self._told == balancer and self._state and not self._state.failed_listeners:
            return self._state
        try:
            answer = self._client.put("/configuration", content=balancer.model_dump_json())
            answer.raise_for_status()
        except httpx.TransportError:
            return None
        self._told, self._state = balancer, BalancerState.model_validate_json(answer.content)
        return self._state

    def state(self) -> BalancerState | None:
        """What it sees now; None while it does not answer."""
        try:
            answer = self._client.get("/state")
            answer.raise_for_status()
        except httpx.TransportError:
            return None
        return BalancerState.model_validate_json(answer.content)

    def take_samples(self) -> tuple[SampleSet, ...]:
        """What it measured since the last call; nothing while it does not answer."""
        try:
            answer = self._client.post("/samples/take")
            answer.raise_for_status()
        except httpx.TransportError:
            return ()
        return Samples.model_validate_json(answer.content).sets

    def stop(self) -> None:
        """End it, and return when it is gone."""
        self._told = self._state = None
        if self._process is None:
            return
        self._process.kill()  # it has nothing to save, and its connections are to be cut
        self._process.wait(_STOP_DEADLINE)
        if self._process.stdin:
            self._process.stdin.close()
        self._process = None
        self._socket.unlink(missing_ok=True)
