"""A stack whose core-services machine is an instance of moto's, and whose etcd is real."""

from __future__ import annotations

import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.core_services import CORE_SERVICES
from tasks.roles import load_role
from tests.link.aws_server import Aws, MachineGroup, aws_server
from tests.link.etcd_server import ETCD, HOST, etcd_server
from tests.tasks.own_aws import Server, own_aws
from tests.waiting import eventually, free_port

NETWORK = "127.46.0.0/16"
STACK = "lab"


@contextmanager
def stack_etcd(server: Server = aws_server) -> Iterator[Aws]:
    """While the block runs, this process and those it starts find an empty etcd at the stack `STACK`."""
    address = f"127.46.{random.randint(1, 254)}.{random.randint(4, 254)}"  # noqa: S311  the port is the role's
    port = free_port(HOST)
    with own_aws(server) as aws, etcd_server(port), _gateway(address, port):
        tags = {"tyrell:stack": STACK, "tyrell:role": CORE_SERVICES}
        MachineGroup(aws, CORE_SERVICES, NETWORK, tags).add(address)
        yield aws


@contextmanager
def _gateway(address: str, to_port: int) -> Iterator[None]:
    """The machine's etcd port leads to the server. https://etcd.io/docs/v3.5/op-guide/gateway/"""
    port = load_role(CORE_SERVICES).health.port
    command = [str(ETCD), "gateway", "start", f"--listen-addr={address}:{port}", f"--endpoints={HOST}:{to_port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def accepts() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((address, port)) == 0

    try:
        eventually(f"{address}:{port} to accept connections", accepts)
        yield
    finally:
        process.kill()
        process.wait(10)
