"""Runs a member of a service registry, and keeps its record in etcd's v2 keys for as long as it answers.

    registered.py RECORDS COMMAND [ARGUMENT]...

For members that do not register themselves, as the original Zetta targets. The record is written, without a tenant,
when the new process answers; it is deleted before the process is stopped and after it ended. A process that does not
answer any more is ended. However it ended, systemd is told that all is well and starts another: one member that crashes
must not cost the machine with all the others. (One that crashes at once, again and again, does.)

Settings: COREOS_PRIVATE_IPV4, MAPPED_PORT, ZETTA_VERSION, ETCD_PEER_HOSTS (`host:port,host:port`).

The machine's own Python runs it, so it needs nothing beside the standard library.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from types import FrameType

UNTIL_ANSWERED, EVERY = 0.25, 10.0
"""Seconds between two looks: before the process has answered, and after."""
MISSES = 3
"""So many times in a row without an answer end a process that has answered before."""
BOOT = 60.0
"""Seconds within which a process has to answer for the first time."""
STOP = 15.0
"""Seconds that a process has to end when it is told to."""

# No proxy of the environment leads to the machine itself or to etcd.
_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Stopped(Exception):
    """We were told to stop."""


class Registry:
    """The record of one member in etcd. What cannot be written now is written at the next look."""

    def __init__(self, hosts: list[str], key: str, url: str, version: str) -> None:
        self._urls = [f"http://{host}/v2/keys{key}" for host in hosts]
        self._url, self._version = url, version
        self.written = False
        self._begun = False  # we may be told to stop between the write and its answer

    def keep(self) -> None:
        """Write a new process's record over whatever is there; later only when it is gone: it may have a tenant."""
        if self.written:
            if self._ask("GET") == 404:
                self._ask("PUT", "?prevExist=false", {"value": self._record()})
            return
        self._begun = True
        self.written = self._ask("PUT", "", {"value": self._record()}) in {200, 201}
        if self.written:
            print(f"{self._url} is registered", flush=True)

    def withdraw(self) -> None:
        """Delete the record."""
        if self._begun and self._ask("DELETE") == 200:
            print(f"{self._url} is not registered any more", flush=True)
        self.written = False

    def _record(self) -> str:
        """Byte for byte what the others compare with: this order of keys, no spaces."""
        created = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        record = {"type": "cloud-target", "url": self._url, "created": created, "version": self._version}
        return json.dumps(record, separators=(",", ":"))

    def _ask(self, method: str, query: str = "", form: dict[str, str] | None = None) -> int | None:
        """The status that the first member of etcd answers; None when none does."""
        data = urllib.parse.urlencode(form).encode() if form else None
        for url in self._urls:
            status = ask(urllib.request.Request(url + query, data, method=method))  # noqa: S310  always http
            if status is not None and status < 500:
                return status
        print(f"no etcd answers {method} {', '.join(self._urls)}", file=sys.stderr, flush=True)
        return None


def ask(request: urllib.request.Request) -> int | None:
    """The status of the answer; None when there is none."""
    try:
        with _http.open(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return None


def serve(process: subprocess.Popen[bytes], url: str, registry: Registry) -> str:
    """Watch the process until it has ended or is to be ended; returns why."""
    misses, deadline = 0, time.monotonic() + BOOT
    while True:
        if ask(urllib.request.Request(f"{url}/")) == 200:  # noqa: S310  always http
            misses = 0
            registry.keep()
        else:
            misses += 1
            if misses >= MISSES if registry.written else time.monotonic() > deadline:
                return "it does not answer"
        try:
            return f"it ended with status {process.wait(EVERY if registry.written else UNTIL_ANSWERED)}"
        except subprocess.TimeoutExpired:
            continue


def stop(_number: int, _frame: FrameType | None) -> None:
    """Only the first signal counts."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def main() -> None:
    """Run the command until it ends or we are told to stop."""
    records, *command = sys.argv[1:]
    address = f"{os.environ['COREOS_PRIVATE_IPV4']}:{os.environ['MAPPED_PORT']}"
    url, hosts = f"http://{address}", os.environ["ETCD_PEER_HOSTS"].split(",")
    registry = Registry(hosts, records + address, url, os.environ["ZETTA_VERSION"])
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, stop)
            print(f"{url} is started anew: {serve(process, url, registry)}", flush=True)
        except Stopped:
            pass
        finally:
            registry.withdraw()
            process.terminate()
            try:
                process.wait(STOP)
            except subprocess.TimeoutExpired:
                process.kill()


if __name__ == "__main__":
    main()
