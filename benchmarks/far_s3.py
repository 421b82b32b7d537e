"""An S3 that is as far away as a real one: moto's server, and a network of its own in front of it.

`with far_s3(seconds):` starts both as processes (`python -m benchmarks.far_s3 server | network ...`), because what is
measured should not share an interpreter with them, and leads this process to them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tasks import clients
from tests.link.aws_server import REGION, aws_server
from tyrell.local.storage import store_as_on_aws

HOST = "127.31.0.3"


@contextmanager
def far_s3(seconds: float) -> Iterator[None]:
    """Inside, this process talks to an S3 with nothing in it; request and answer take that long together to travel."""
    with _running("server") as address, _running("network", address, str(seconds)) as url:
        os.environ |= {
            "AWS_ENDPOINT_URL": f"http://{url}",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        clients.forget()
        yield
        clients.forget()


@contextmanager
def _running(*arguments: str) -> Iterator[str]:
    """One of the parts; gives the `host:port` that it prints when it is there."""
    command = [sys.executable, "-m", "benchmarks.far_s3", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)


def serve() -> None:
    """Be the server."""
    store_as_on_aws()
    with aws_server() as aws:
        print(aws.url.removeprefix("http://"), flush=True)
        threading.Event().wait()


async def be_far(address: str, seconds: float) -> None:
    """Be the network: pass every byte on to `address`, in both directions after half the time."""
    host, port = address.split(":")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(65536):
            await asyncio.sleep(seconds / 2)
            writer.write(block)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pass_on(reader, to_server[1]), pass_on(to_server[0], writer))

    server = await asyncio.start_server(connect, HOST, 0, backlog=1024)
    print("{}:{}".format(*server.sockets[0].getsockname()), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve()
    else:
        asyncio.run(be_far(sys.argv[2], float(sys.argv[3])))
