"""A machine leaves once, whatever is disturbed meanwhile, on the embedded Auto Scaling."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest
from botocore.exceptions import ClientError

from tasks import clients
from tasks.groups import find_group
from tasks.model import Version
from tasks.roles import load_role
from tasks.scaling import remove_machine
from tests.local.autoscaling.conftest import new_subnet, new_template
from tests.waiting import eventually, free_port
from tyrell.local.autoscaling.engine import AutoScaling
from tyrell.local.aws import client
from tyrell.local.faults.model import CallFault
from tyrell.local.faults.remote import add_fault, find_faults
from tyrell.local.server import start_server
from tyrell.local.settings import Settings
from tyrell.local.state import State

VERSION = Version(stack="demo", role="router", id="blue")
CALL = "autoscaling.TerminateInstanceInAutoScalingGroup"


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A cloud, to which this process is led, with one version's group of two machines."""
    home = tmp_path_factory.mktemp("scaling")
    settings = Settings(home=home, port=free_port(), network=IPv4Network("127.33.0.0/16"))
    engine = AutoScaling(settings)
    engine.install()
    server = start_server(settings)
    engine.start()
    ec2 = client(settings, "ec2")
    vpc = ec2.create_vpc(CidrBlock=str(settings.network))["Vpc"]["VpcId"]
    client(settings, "autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="router-blue",
        MinSize=2,
        MaxSize=2,
        VPCZoneIdentifier=new_subnet(ec2, vpc, 9, "a"),
        LaunchTemplate={"LaunchTemplateId": new_template(ec2)},
        Tags=[{"Key": name, "Value": value, "PropagateAtLaunch": False} for name, value in VERSION.tags.items()],
    )
    with pytest.MonkeyPatch.context() as patched:
        for name, value in State(pid=0, settings=settings, prefect_port=0).environment.items():
            patched.setenv(name, value)
        clients.forget()
        eventually("two machines", lambda: len(find_group(VERSION).in_service) == 2)
        yield settings
    clients.forget()
    engine.stop()
    server.stop()


def test_a_machine_leaves_once_when_the_answer_gets_lost(settings: Settings) -> None:
    group = find_group(VERSION)
    add_fault(settings, CallFault(kind="lost-answer", call=CALL, nth=1))
    remove_machine.fn(group, group.machines[0], load_role("router"))
    assert [each.struck for each in find_faults(settings)] == [(CALL,)]
    assert find_group(VERSION).desired == 1


def test_a_machine_that_may_not_go_is_an_error(settings: Settings) -> None:
    group = find_group(VERSION)
    add_fault(settings, CallFault(kind="access-denied", call=CALL))
    with pytest.raises(ClientError, match="AccessDenied"):
        remove_machine.fn(group, group.machines[0], load_role("router"))
    assert find_group(VERSION).desired == 2
