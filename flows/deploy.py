"""The deploy flow: a version next to the ones already there. It moves no traffic."""

from prefect import flow

from tasks.groups import find_group, scale_group
from tasks.health import await_healthy
from tasks.model import Changes, Release, Version
from tasks.roles import ByLoadBalancer, load_role
from tasks.traffic import add_at_zero
from tasks.versions import create_version


@flow(name="deploy", flow_run_name="deploy {version.role} {version.id} to {version.stack}")
def deploy(version: Version, release: Release, size: int | None = None) -> Changes:
    """Create a version and wait until all its members are healthy. Returns what changed.

    Args:
        version: the stack, the role and the id the version is to have
        release: what it is made of
        size: how many machines; without it a new group gets the role's default and an existing one keeps its size
    """
    role = load_role(version.role)
    wanted = role.size.default if size is None else role.check_size(size)

    changes = create_version(version, release, role)
    group = find_group(version)
    if isinstance(role.traffic, ByLoadBalancer):
        changes += add_at_zero(group, role.traffic)
    if size is not None or group.desired == 0:
        changes += scale_group(version, role, wanted)
    await_healthy(version, role)
    return changes
