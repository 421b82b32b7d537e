"""The deploy flow: a version next to the ones already there. It moves no traffic."""

from datetime import timedelta

from prefect import flow

from tasks.errors import Disproved
from tasks.groups import find_group, scale_group
from tasks.health import await_healthy
from tasks.locks import holding
from tasks.model import Changes, Release, Version
from tasks.role_parts import ByLoadBalancer, ByQueue
from tasks.roles import load_role
from tasks.traffic import add_at_zero
from tasks.versions import create_version


@flow(name="deploy", flow_run_name="deploy {version.role} {version.id} to {version.stack}")
def deploy(version: Version, release: Release, size: int | None = None, wait: timedelta | None = None) -> Changes:
    """Create a version and wait until all its members are healthy. Returns what changed.

    Args:
        version: the stack, the role and the id the version is to have
        release: what it is made of
        size: how many machines; without it a new group gets the role's default and an existing one keeps its size
        wait: how long to wait for another change of the role to end; without it this one is refused at once
    """
    role = load_role(version.role)
    wanted = role.size.default if size is None else role.check_size(size)

    with holding(version.stack, role.name, f"deploy {version.id}", wait) as lock:
        changes = create_version(version, release, role)
        if isinstance(role.traffic, ByQueue):  # without machines until it is live and there is work
            return changes
        group = find_group(version)
        if isinstance(role.traffic, ByLoadBalancer):
            changes += add_at_zero(lock, group, role.traffic)
        if size is not None or group.desired == 0:
            changes += scale_group(version, wanted)
        try:
            await_healthy(version, role)
        except Disproved:  # its machines would go on dying and being replaced
            scale_group(version, 0)
            raise
    return changes
