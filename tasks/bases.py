"""The base of a stack: everything of it that outlives releases, as one CloudFormation stack."""

from __future__ import annotations

from tasks import networks
from tasks.errors import NotFound, no_stack
from tasks.model import Network, Stack
from tasks.registry_api import check_registry_api, registry_api_of
from tasks.stack_buckets import DEVICE_DATA, USAGE, check_buckets, find_given
from tasks.stacks import Blueprint, CfnStack, check_ours
from tasks.templates import base_template


def base_blueprint(stack: Stack) -> Blueprint:
    """The CloudFormation stack of the base."""
    tags = {"tyrell:kind": "base", "tyrell:stack": stack.name, "tyrell:network": stack.network}
    return Blueprint(name=stack.name, template=base_template(stack), tags=tags)


def check_base(stack: Stack) -> None:
    """Raises UsageError when the stack is there and is something else, or cannot become what is asked for."""
    check_ours(stack.name, "base")
    check_registry_api(stack)
    check_buckets(stack)


def find_chosen(base: CfnStack | None) -> dict[str, str]:
    """What was chosen for the stack with that base, as fields of `Stack`; nothing without a base."""
    if base is None:
        return {}
    given = find_given(base)
    chosen = {
        "network": base.tags.get("tyrell:network"),
        "port": base.outputs.get("Port"),
        "registry_api": registry_api_of(base),
        "device_data_bucket": given.get(DEVICE_DATA),
        "usage_bucket": given.get(USAGE),
    }
    return {field: value for field, value in chosen.items() if value}


def find_standing(name: str, port: int | None = None) -> tuple[Network, Stack]:
    """The stack that is there, with its network, as they were asked for; `port` is another one for its balancers.

    Raises NotFound when there is no such stack, UsageError when it is no stack of ours.
    """
    base = check_ours(name, "base")
    if base is None:
        raise no_stack(name)
    stack = Stack.model_validate({"name": name, **find_chosen(base), **({"port": port} if port else {})})
    there = check_ours(stack.network, "network")
    if there is None:
        raise NotFound(f"network {stack.network}", f"`tyrell network {stack.network}` makes it")
    cidr = there.outputs.get("Cidr", "")
    return Network.model_validate({"name": stack.network, "cidr": cidr, **networks.find_chosen(there, cidr)}), stack
