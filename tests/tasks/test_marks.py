"""A pin holds whatever was disturbed while it was made, on the embedded Auto Scaling."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest
from botocore.exceptions import ClientError

from tasks import clients
from tasks.groups import find_group
from tasks.marks import pin, unpin
from tasks.model import Version
from tasks.pins import PINNED, SUSPENDED
from tests.local.autoscaling.conftest import new_subnet, new_template
from tests.waiting import free_port
from tyrell.local.autoscaling.engine import AutoScaling
from tyrell.local.aws import client
from tyrell.local.faults.model import CallFault
from tyrell.local.faults.remote import add_fault, clear_faults
from tyrell.local.server import start_server
from tyrell.local.settings import Settings
from tyrell.local.state import State

VERSION = Version(stack="demo", role="router", id="blue")


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A cloud, to which this process is led, with one version's group of no machines."""
    home = tmp_path_factory.mktemp("marks")
    settings = Settings(home=home, port=free_port(), network=IPv4Network("127.33.0.0/16"))
    engine = AutoScaling(settings)
    engine.install()
    server = start_server(settings)
    ec2 = client(settings, "ec2")
    vpc = ec2.create_vpc(CidrBlock=str(settings.network))["Vpc"]["VpcId"]
    client(settings, "autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="router-blue",
        MinSize=0,
        MaxSize=2,
        VPCZoneIdentifier=new_subnet(ec2, vpc, 9, "a"),
        LaunchTemplate={"LaunchTemplateId": new_template(ec2)},
        Tags=[{"Key": name, "Value": value, "PropagateAtLaunch": False} for name, value in VERSION.tags.items()],
    )
    with pytest.MonkeyPatch.context() as patched:
        for name, value in State(pid=0, settings=settings, prefect_port=0).environment.items():
            patched.setenv(name, value)
        clients.forget()
        yield settings
    clients.forget()
    engine.stop()
    server.stop()


def test_a_pin_that_was_only_noted_is_completed_by_the_next_one_and_taken_back_as_a_whole(settings: Settings) -> None:
    add_fault(settings, CallFault(kind="access-denied", call="autoscaling.SuspendProcesses"))
    with pytest.raises(ClientError, match="AccessDenied"):
        pin.fn(find_group(VERSION), "green")
    assert PINNED in find_group(VERSION).tags
    assert not find_group(VERSION).suspended
    clear_faults(settings)

    pin.fn(find_group(VERSION), "green")
    assert set(find_group(VERSION).suspended) == set(SUSPENDED)

    unpin.fn(find_group(VERSION))
    assert not find_group(VERSION).suspended
    assert PINNED not in find_group(VERSION).tags
