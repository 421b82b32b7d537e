"""Prints `ETCD_PEER_HOSTS=host:port,...`: the core-services machines of a stack, for the other machines' first boot.

Settings: ZETTA_STACK, ETCD_CLIENT_PORT (4001), AWS_REGION (us-east-1).
"""

import os
import sys
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from link.cluster.machines import find_hosts
from link.cluster.membership import is_healthy
from link.shared.environment import Environment, SettingError

TIMEOUT = 120.0
LOOK_EVERY = 1.0


def await_hosts(stack: str, port: int, region: str, timeout: float = TIMEOUT) -> list[str]:
    """Look until one of the hosts is healthy and return all; raises `TimeoutError` that says what was missing."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            hosts = find_hosts(stack, port, region)
            missing = f"none of {hosts} is healthy" if hosts else "there is none"
            if any(is_healthy(f"http://{host}") for host in hosts):
                return hosts
        except (BotoCoreError, ClientError) as error:
            missing = str(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"no etcd of stack {stack} within {timeout:g} s: {missing}")
        threading.Event().wait(LOOK_EVERY)


def main() -> None:
    """Print the line. Exits 2 for a bad setting, 1 when no member answers in time."""
    environment = Environment(os.environ)
    try:
        port = environment.port("ETCD_CLIENT_PORT", 4001)
        hosts = await_hosts(environment.text("ZETTA_STACK"), port, environment.text("AWS_REGION", "us-east-1"))
    except SettingError as error:
        print(f"etcd-peers: {error}", file=sys.stderr)
        sys.exit(2)
    except TimeoutError as error:
        sys.exit(f"etcd-peers: {error}")
    print(f"ETCD_PEER_HOSTS={','.join(hosts)}")


if __name__ == "__main__":
    main()
