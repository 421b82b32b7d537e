"""The bring-up flow: a whole stack, from nothing or from wherever an earlier run stopped."""

from datetime import timedelta
from functools import partial

from prefect import flow

from flows.base_stack import create_base_stack
from flows.deploy import deploy
from flows.metrics_attach import attach_metrics
from flows.network import create_network
from flows.switch import switch
from tasks.amis import find_release
from tasks.bases import check_base
from tasks.calendar_checks import check_calendar
from tasks.errors import TyrellError
from tasks.events import Event, tell_event
from tasks.links import publish_links
from tasks.model import Changes, Network, Stack
from tasks.monitoring.stacks import check_attachable, find_attached_to
from tasks.networks import check_network
from tasks.overview import publish_changes, publish_overview
from tasks.parameters import Ami, LinkRole, OptionalStack, OptionalVersion
from tasks.roles import in_stages, load_role, roles_beside
from tasks.run_list import tag_run
from tasks.steps import in_parallel, one_heartbeat
from tasks.versions import is_live

DEAD_HOLDER = timedelta(seconds=60)
"""Locks of an earlier run that was killed go by themselves; a living one of another change is waited for as well."""


@flow(name="bring-up", flow_run_name="bring up {stack.name}", on_running=[tag_run])
def bring_up(
    network: Network,
    stack: Stack,
    ami: Ami = "",
    version: OptionalVersion = "",
    sizes: dict[LinkRole, int] | None = None,
    metrics: OptionalStack = "",
    metrics_optional: bool = False,
    override_calendar: str = "",
) -> Changes:
    """Network, base stack, every role deployed and live. A role that is live already is left as it is.

    Args:
        network: the network to lie in, created if need be
        stack: the stack
        ami: the machine image to deploy; without it the newest Link image of the account
        version: the id of the versions; without it the image's own
        sizes: machines by role, where the role's default is not wanted
        metrics: the metrics stack to attach it to; without it, it stays attached to the one it has, if any
        metrics_optional: go on without metrics when that does not work
        override_calendar: why it goes on though the stack's calendar holds it; recorded
    """
    sizes = {name: load_role(name).check_size(size) for name, size in (sizes or {}).items()}
    release = find_release(ami, version)
    check_network(network)
    check_base(stack)
    if metrics and not metrics_optional:
        check_attachable(stack.name, stack.network, metrics)
    check_calendar(stack.name, "bring-up", override_calendar)
    with one_heartbeat():
        changes = create_network(network, stack.name) + create_base_stack(stack)
        if metrics:
            changes += _attach(stack.name, metrics, optional=metrics_optional)

        roles = roles_beside(["metrics"] if find_attached_to(stack.name) else [])
        missing = [role for role in roles if not is_live(stack.name, role)]
        for stage in in_stages(missing):
            deploys = [
                partial(deploy, stack.name, role.name, release.ami, release.id, sizes.get(role.name), DEAD_HOLDER)
                for role in stage
            ]
            changes += sum(in_parallel(deploys), ())
        for kind in ("queue", "registry", "load-balancer"):  # what stands behind the balancers first
            switches = [
                partial(switch, stack.name, role.name, release.id, wait=DEAD_HOLDER)
                for role in missing
                if role.traffic.kind == kind
            ]
            changes += sum(in_parallel(switches), ())

    publish_changes(stack.name, changes)
    publish_overview(stack.name)
    publish_links(stack.name)
    tell_event(Event.STACK_UP, (stack.name,), changes=changes)
    return changes


def _attach(stack: str, metrics: str, *, optional: bool) -> Changes:
    try:
        return attach_metrics(stack, metrics)
    except TyrellError as error:
        if not optional:
            raise
        return (f"went on without metrics: {error}",)
