"""The switch flow: all traffic of a role to one version, in one write."""

from prefect import flow

from tasks.errors import UsageError
from tasks.groups import find_group, find_groups
from tasks.model import Changes, Version
from tasks.registry import await_believed, await_seen, machines_in_service, switch_pointer
from tasks.roles import ByLoadBalancer, ByRegistry, load_role
from tasks.traffic import switch_weights


@flow(name="switch", flow_run_name="switch {version.role} of {version.stack} to {version.id}")
def switch(version: Version) -> Changes:
    """Move all traffic of a role to a version that is deployed and healthy. Returns what changed.

    Args:
        version: the stack, the role and the version that is to be live
    """
    role, group = load_role(version.role), find_group(version)
    match role.traffic:
        case ByLoadBalancer() as traffic:
            return switch_weights(group, traffic)
        case ByRegistry() as traffic:
            watchers = machines_in_service(find_groups(version.stack, traffic.watched_by))
            await_seen(version, role, traffic, watchers)
            changes = switch_pointer(group, role, traffic)
            await_believed(version, traffic, watchers)
            return changes
    raise UsageError(f"role {role.name} has no traffic to switch")
