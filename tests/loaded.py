"""Loads what `tyrell` commands load, then forks one for each request: `python -m tests.loaded SOCKET`.

A request is {"words": [...], "folder": "..."} with the descriptors of its standard output and error; the answers are
its process's id and, in the end, its exit code. Ends with its own standard input.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from pkgutil import iter_modules
from selectors import EVENT_READ, DefaultSelector
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, socket

from tyrell.environment import Cloud, enter

LARGEST_REQUEST = 1_000_000


def load() -> None:
    """Prefect reads the environment while it is imported, so that of the embedded cloud has to be there before."""
    enter(Cloud.local)
    flows = [module.name for module in iter_modules(import_module("flows").__path__, "flows.")]
    for name in (*flows, "tyrell.cli", "tyrell.bring_up", "tyrell.show"):
        import_module(name)
    gc.freeze()


def serve(address: str) -> list[str]:
    """Fork for each request; returns in the forked processes, with the words of the command that each has to be."""
    with socket(AF_UNIX, SOCK_SEQPACKET) as listening, DefaultSelector() as waiting:
        listening.bind(address)
        listening.listen()
        waiting.register(listening, EVENT_READ)
        waiting.register(sys.stdin, EVENT_READ)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            for key, _ in waiting.select():
                if key.fileobj is sys.stdin:
                    raise SystemExit
                if key.fileobj is not listening:
                    _tell_end(*key.data)
                    waiting.unregister(key.fd)
                    os.close(key.fd)
                    continue
                asking = listening.accept()[0]
                request, descriptors, *_ = recv_fds(asking, LARGEST_REQUEST, 2)
                pid = os.fork()
                if not pid:
                    return _become(json.loads(request), descriptors)
                for descriptor in descriptors:
                    os.close(descriptor)
                asking.send(str(pid).encode())
                waiting.register(os.pidfd_open(pid), EVENT_READ, (pid, asking))


def _tell_end(pid: int, asking: socket) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with asking, suppress(OSError):  # nobody waits for it any more
        asking.send(str(code).encode())


def _become(request: dict[str, str | list[str]], descriptors: list[int]) -> list[str]:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, standard in zip((nothing, *descriptors), (0, 1, 2), strict=True):
        os.dup2(ours, standard)
        os.close(ours)
    os.chdir(str(request["folder"]))
    return list(request["words"])


if __name__ == "__main__":
    load()
    sys.argv[:] = ["tyrell", *serve(sys.argv[1])]

    from tyrell.cli import main

    main()
