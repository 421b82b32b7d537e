"""The way to this stack's etcd."""

import asyncio

from link.shared.environment import ETCD_PORT, Environment
from link.shared.etcd import Etcd


def open_etcd(environment: Environment) -> Etcd:
    """Return a client that begins with the members in ETCD_PEER_HOSTS, which were there when the machine booted.

    When none of those it knows answers, as in a process that is started after all of them were replaced, it looks for
    the core-services machines of ZETTA_STACK that there are now.
    """
    stack = environment.text("ZETTA_STACK", "")
    port = environment.port("ETCD_CLIENT_PORT", ETCD_PORT)
    region = environment.text("AWS_REGION", "us-east-1")

    def look() -> list[str]:
        # Hardly any process ever needs boto3, which would more than double its memory.
        from link.cluster.machines import find_hosts  # noqa: PLC0415

        return [f"http://{host}" for host in find_hosts(stack, port, region)]

    async def find_members() -> list[str]:
        return await asyncio.to_thread(look) if stack else []

    return Etcd(environment.etcd_endpoints(), find_members=find_members)
