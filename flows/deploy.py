"""The deploy flow: a version next to the ones already there. It moves no traffic."""

from prefect import flow

from tasks.amis import find_release
from tasks.errors import Disproved
from tasks.groups import find_group, scale_group
from tasks.health import await_healthy
from tasks.locks import holding
from tasks.model import Changes, StackName, Version
from tasks.parameters import Ami, LinkRole, OptionalVersion, Wait
from tasks.role_parts import ByLoadBalancer, ByQueue
from tasks.roles import load_role
from tasks.run_list import name_run, tag_run
from tasks.traffic import add_at_zero
from tasks.versions import create_version


@flow(name="deploy", flow_run_name="deploy {role} to {stack}", on_running=[tag_run])
def deploy(
    stack: StackName,
    role: LinkRole,
    ami: Ami = "",
    version: OptionalVersion = "",
    size: int | None = None,
    wait: Wait = None,
) -> Changes:
    """Create a version and wait until all its members are healthy. Returns what changed.

    Args:
        stack: the stack
        role: the role
        ami: the machine image to deploy; without it the newest of its kind
        version: the id that the version is to have; without it the image's own
        size: how many machines; without it a new group gets the role's default and an existing one keeps its size
        wait: how long to wait for another change of the role to end, as PT10M; without it this one is refused at once
    """
    kind = load_role(role)
    wanted = kind.size.default if size is None else kind.check_size(size)
    release = find_release(ami, version, kind.machine_image)
    new = Version(stack=stack, role=role, id=release.id)
    name_run(f"deploy {role} {new.id} to {stack}")

    with holding(stack, role, f"deploy {new.id}", wait) as lock:
        changes = create_version(new, release, kind)
        if isinstance(kind.traffic, ByQueue):  # without machines until it is live and there is work
            return changes
        group = find_group(new)
        if isinstance(kind.traffic, ByLoadBalancer):
            changes += add_at_zero(lock, group, kind.traffic)
        if size is not None or group.desired == 0:
            changes += scale_group(new, wanted)
        try:
            await_healthy(new, kind)
        except Disproved:  # its machines would go on dying and being replaced
            scale_group(new, 0)
            raise
    return changes
