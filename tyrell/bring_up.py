"""`tyrell up` and the demo's main part: run the bring-up flow and show what came of it."""

from __future__ import annotations

from ipaddress import IPv4Network

from flows.bring_up import bring_up
from tasks import bases, networks
from tasks.clients import ec2
from tasks.errors import UsageError
from tasks.model import Network, Overview, Stack
from tasks.overview import find_overview
from tasks.roles import load_role
from tasks.stacks import find_stack
from tyrell.environment import Surroundings
from tyrell.run import out, print_json, run_flow
from tyrell.show import show_changes, show_overview

NETWORK_PREFIX = 20
"""Of a network that has to share a machine with others: 4,096 addresses."""


def parse_sizes(given: list[str]) -> dict[str, int]:
    """`["router=3"]` as `{"router": 3}`. Raises UsageError, also for roles and sizes that cannot be."""
    sizes = {}
    for each in given:
        role, _, number = each.partition("=")
        if not number.isdigit():
            raise UsageError(f"--size {each}: write ROLE=N, for example --size router=3")
        sizes[role] = load_role(role).check_size(int(number))
    return sizes


def wanted(
    stack: str,
    network: str,
    cidr: str,
    port: int,
    place: Surroundings,
    registry_api: str = "",
    device_data_bucket: str = "",
    usage_bucket: str = "",
) -> tuple[Network, Stack]:
    """The network and stack a person asks for; what he does not say stays as it is, or is as usual in `place`.

    Raises UsageError, or pydantic's ValidationError, for what cannot be.
    """
    known = bases.find_chosen(find_stack(stack))
    network = network or known.get("network") or f"{stack}-network"
    there = find_stack(network)
    cidr = cidr or (there.outputs.get("Cidr") if there else "") or _free_addresses(place)
    said = {
        "network": network,
        "port": port,
        "registry_api": registry_api,
        "device_data_bucket": device_data_bucket,
        "usage_bucket": usage_bucket,
    }
    asked_for = {field: value for field, value in said.items() if value}
    wanted_stack = Stack.model_validate({"name": stack, "port": place.port, **known, **asked_for})
    chosen = networks.find_chosen(there, cidr)
    return Network.model_validate({"name": network, "cidr": cidr, **chosen}), wanted_stack


def _free_addresses(place: Surroundings) -> str:
    """The addresses of a new network: those usual in `place`, or a part of them where networks must not overlap."""
    if not place.one_machine:
        return str(place.cidr)
    taken = [IPv4Network(vpc["CidrBlock"]) for vpc in ec2().describe_vpcs()["Vpcs"]]
    for part in place.cidr.subnets(new_prefix=max(place.cidr.prefixlen, NETWORK_PREFIX)):
        if not any(part.overlaps(each) for each in taken):
            return str(part)
    raise UsageError(f"no /{NETWORK_PREFIX} of {place.cidr} is free for another network; tear a stack down first")


def bring_up_and_show(
    network: Network,
    stack: Stack,
    *,
    ami: str,
    version: str,
    sizes: dict[str, int],
    place: Surroundings,
    json: bool,
    metrics: tuple[str, bool] = ("", False),
    override_calendar: str = "",
) -> Overview:
    """Bring the stack up on `place`; then its table and what was changed, or JSON.

    `metrics` names the metrics stack to attach it to, and says whether to go on when that does not work.
    """
    title = f"bring up {stack.name} on {place.name}"
    undo = f"tyrell down {stack.name}"
    arguments = (network, stack, ami, version, sizes, *metrics, override_calendar)
    changes = run_flow(title, bring_up, *arguments, undo=undo, quiet=json)
    overview = find_overview(stack.name)
    if json:
        print_json({"changes": changes, **overview.model_dump()})
        return overview
    show_changes(changes)
    show_overview(overview)
    if place.prefect_url:
        out.print(f"Prefect UI     {place.prefect_url}", highlight=False)
    return overview
