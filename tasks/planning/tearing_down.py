"""What `tear-down` would do."""

from __future__ import annotations

from tasks.locks import check_unlocked
from tasks.monitoring.stacks import find_attached_to
from tasks.networks import find_networks
from tasks.planning.facts import Facts, body_of, stack_facts
from tasks.planning.inventory import Inventory, find_inventory
from tasks.planning.plan import NONE, Draft, Items, Step, added
from tasks.planning.steps import counted, deleting
from tasks.planning.templates import items_of
from tasks.stack_buckets import StackBucket, check_may_delete, find_buckets
from tasks.stacks import PATIENCE, check_ours, find_stack, find_stacks


def plan_tear_down(stack: str, delete_data: bool, yes_delete_data: str) -> Draft:
    """All of a stack goes; its data are kept unless that is said twice."""
    base = check_ours(stack, "base")
    buckets = find_buckets(base)
    check_unlocked(stack)
    if delete_data:
        check_may_delete(stack, buckets, yes_delete_data)
    inventory, metrics = find_inventory(stack), find_attached_to(stack)
    networks = find_networks(stack)
    going = [each for each in networks if set(find_stacks({"tyrell:network": each})) <= {each, stack}]
    facts: Facts = {
        f"the metrics stack of {stack}": metrics or NONE,
        f"networks that go with {stack}": ", ".join(going),
    }
    return Draft(
        of=stack,
        facts=facts | stack_facts(stack) | _size_facts(inventory),
        steps=(
            *([Step(what=f"detach it from metrics stack {metrics}")] if metrics else []),
            *_deleting_versions(stack, inventory),
            *(_parting_with(each, delete_data=delete_data) for each in buckets),
            *map(deleting, [*([stack] if base else []), *going]),
        ),
        before=inventory.items(),
        during=inventory.items(),
        after=added(*(_network_items(each) for each in networks if each not in going)),
    )


def _size_facts(inventory: Inventory) -> Facts:
    return {f"{version.role} {version.id}": f"{size} machines" for version, size in inventory.lasting.items()}


def _deleting_versions(stack: str, inventory: Inventory) -> tuple[Step, ...]:
    names = find_stacks({"tyrell:kind": "version", "tyrell:stack": stack})
    if not names:
        return ()
    machines = counted(sum(inventory.lasting.values()), "machine")
    what = f"delete its {counted(len(names), 'version')} with {machines}, who needs others before these"
    return (Step(what=what, most=len(names) * PATIENCE.timeout),)


def _parting_with(bucket: StackBucket, *, delete_data: bool) -> Step:
    if delete_data and not bucket.given:
        return Step(what=f"delete bucket {bucket.name} and all data in it", most=None)
    return Step(what=f"keep bucket {bucket.name}")


def _network_items(network: str) -> Items:
    found = find_stack(network)
    return items_of(body_of(found)) if found else {}
