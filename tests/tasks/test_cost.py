"""What many cost: waits that go on at the same time, and versions in a status. The calls are counted on their way."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from tasks.clients import autoscaling, ec2
from tasks.errors import Expired
from tasks.groups import await_size
from tasks.health import await_healthy
from tasks.model import Patience, Version
from tasks.overview import find_overview
from tasks.roles import load_role
from tasks.stacks import await_settled
from tests.link.aws_proxy import Proxy
from tests.link.aws_server import REGION, aws_server
from tests.tasks.many import calls_of, counted, make_group, make_stack, make_target_group, seed_versions
from tests.tasks.stack_etcd import STACK, stack_etcd
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

STACKS, SIZES, HEALTHS = 20, 20, 10
WINDOW = 5
PATIENCE = Patience(timeout=timedelta(seconds=WINDOW + 2), every=timedelta(seconds=0.25))


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """The way to an AWS with nothing in it."""
    with aws_server() as aws, counted(aws) as proxy:
        yield proxy


def set_status(status: str) -> None:
    """Of all stacks: moto's are complete at once."""
    from moto.cloudformation.models import cloudformation_backends  # noqa: PLC0415  takes seconds

    for stack in cloudformation_backends["123456789012"][REGION].stacks.values():
        stack.status = status


def stopped_machines() -> list[str]:
    """Versions of a balanced role whose machines are in service and do not answer; returns the machines."""
    for number in range(HEALTHS):
        version = Version(stack="lab", role="router", id=f"v{number}")
        make_group(version, 1, make_target_group(f"router-{number}"))
    groups = autoscaling().describe_auto_scaling_groups()["AutoScalingGroups"]
    machines = [machine["InstanceId"] for group in groups for machine in group["Instances"]]
    ec2().stop_instances(InstanceIds=machines)
    return machines


def await_wrong_size(number: int) -> None:
    """Wait in vain."""
    with pytest.raises(Expired):
        await_size.fn(Version(stack="lab", role="target", id=f"v{number}"), 1, PATIENCE)


def test_fifty_waits_make_one_call_per_service_and_second(proxy: Proxy) -> None:
    role = load_role("router")
    machines = stopped_machines()
    for number in range(STACKS):
        make_stack(f"stack-{number}", {}, {})
    set_status("CREATE_IN_PROGRESS")
    for number in range(SIZES):
        make_group(Version(stack="lab", role="target", id=f"v{number}"), 0)
    waits: list[Callable[[], object]] = [
        *(partial(await_settled, f"stack-{number}", f"stack-{number}") for number in range(STACKS)),
        *(partial(await_wrong_size, number) for number in range(SIZES)),
        *(partial(await_healthy.fn, Version(stack="lab", role="router", id=f"v{n}"), role) for n in range(HEALTHS)),
    ]
    with ThreadPoolExecutor(len(waits)) as pool:
        going = [pool.submit(wait) for wait in waits]
        begin = time.monotonic() + 1  # the first looks are over
        eventually("the waits to have waited", lambda: time.monotonic() > begin + WINDOW)
        set_status("CREATE_COMPLETE")
        ec2().start_instances(InstanceIds=machines)
        for each in going:
            each.result(60)
    calls = calls_of(proxy, begin, begin + WINDOW)
    assert calls.keys() >= {"cloudformation", "autoscaling", "elasticloadbalancing"}
    assert max(calls.values()) <= WINDOW + 1, calls


def test_a_status_of_a_hundred_versions_asks_by_the_page() -> None:
    with stack_etcd() as aws, counted(aws) as proxy:
        seed_versions(STACK, 90, 10)
        begin = time.monotonic()
        overview = find_overview(STACK)
        calls = calls_of(proxy, begin)
    rows = Counter(row.role for row in overview.rows if (row.machines, row.problems) == (10, ()))
    assert rows == {"router": 5, "target": 5, "usage-worker": 90}
    assert calls["autoscaling"] == 1
    assert calls["cloudformation"] <= 8, "the base stack, for some roles again"
    assert calls["elasticloadbalancing"] == 2 + 5, "the rule, its tags, and the health of the versions it names"
    assert calls["ec2"] <= 5, "addresses of etcd and of the members of the registry"
