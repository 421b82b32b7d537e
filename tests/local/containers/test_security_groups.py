"""Security groups decide who reaches a machine, or a load balancer, and nobody has to restart anything for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.local.containers.cloud import Cloud
from tests.waiting import eventually

pytestmark = pytest.mark.docker

PORTS = (3000, 3001)

SCAN = """python3 - <<'END'
import select, socket
poll, sockets = select.poll(), {{}}
for port in [*range(1, 600), {ports}]:
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("{address}", port))
    sockets[s.fileno()] = s, port
    poll.register(s, select.POLLOUT)
heard = set()
while answers := poll.poll(1000):
    for number, _ in answers:
        poll.unregister(number)
        heard.add(sockets[number][1])
print(*sorted(heard))
END"""
"""Prints the ports that answer in any way: a connection, or a refusal."""


@dataclass(frozen=True)
class Machines:
    """Three instances, each in a group of its own name, and those groups."""

    server: str
    client: str
    stranger: str
    groups: dict[str, str]


@pytest.fixture(scope="module")
def machines(cloud: Cloud) -> Iterator[Machines]:
    vpc = cloud.ec2.describe_subnets(SubnetIds=[cloud.subnet])["Subnets"][0]["VpcId"]
    groups = {
        name: cloud.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("server", "client", "stranger", "balancer")
    }
    serve = "#!/bin/sh\n" + "".join(f"systemd-run python3 -m http.server {port} -d /opt\n" for port in PORTS)
    made = Machines(
        server=cloud.run(cloud.debian, serve, SecurityGroupIds=[groups["server"]]),
        client=cloud.run(cloud.debian, SecurityGroupIds=[groups["client"]]),
        stranger=cloud.run(cloud.debian, SecurityGroupIds=[groups["stranger"]]),
        groups=groups,
    )
    for instance in (made.server, made.client, made.stranger):
        cloud.await_login(instance)
    yield made
    cloud.terminate([made.server, made.client, made.stranger])


def heard(cloud: Cloud, scanner: str, scanned: str) -> list[int]:
    """The ports of `scanned` that answer `scanner`."""
    script = SCAN.format(ports=", ".join(map(str, PORTS)), address=cloud.address(scanned))
    return [int(port) for port in cloud.says(scanner, script).split()]


@contextmanager
def allowed(cloud: Cloud, group: str, port: int, **source: Any) -> Iterator[None]:
    """A rule of `group`, for the duration of the block."""
    permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
    cloud.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    yield
    cloud.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[permission])


def test_a_port_scan_finds_what_the_rules_allow_for_its_source_and_nothing_else(
    cloud: Cloud, machines: Machines
) -> None:
    groups, (open_port, _) = machines.groups, PORTS
    assert heard(cloud, machines.stranger, machines.server) == []

    with allowed(cloud, groups["server"], open_port, UserIdGroupPairs=[{"GroupId": groups["client"]}]):
        eventually("the rule holds", lambda: heard(cloud, machines.client, machines.server) == [open_port], 5)
        assert heard(cloud, machines.stranger, machines.server) == []
        assert heard(cloud, machines.client, machines.stranger) == []

    eventually("the rule is revoked", lambda: heard(cloud, machines.client, machines.server) == [], 5)


def test_an_address_range_is_allowed_as_it_is_written(cloud: Cloud, machines: Machines) -> None:
    groups, (_, open_port) = machines.groups, PORTS
    own = [{"CidrIp": f"{cloud.address(machines.stranger)}/32"}]

    with allowed(cloud, groups["server"], open_port, IpRanges=own):
        eventually("the rule holds", lambda: heard(cloud, machines.stranger, machines.server) == [open_port], 5)
        assert heard(cloud, machines.client, machines.server) == []


def test_an_instance_that_comes_later_is_a_member_like_the_others(cloud: Cloud, machines: Machines) -> None:
    groups, (open_port, _) = machines.groups, PORTS

    with allowed(cloud, groups["server"], open_port, UserIdGroupPairs=[{"GroupId": groups["client"]}]):
        later = cloud.ready(cloud.debian, SecurityGroupIds=[groups["client"]])
        eventually("it reaches the server", lambda: heard(cloud, later, machines.server) == [open_port], 5)
        assert heard(cloud, machines.stranger, later) == []
    cloud.terminate([later])


def test_a_load_balancer_is_a_door_of_its_own(cloud: Cloud, machines: Machines) -> None:
    elb, groups, (port, _) = cloud.aws("elbv2"), machines.groups, PORTS
    vpc = cloud.ec2.describe_subnets(SubnetIds=[cloud.subnet])["Subnets"][0]["VpcId"]
    made = elb.create_load_balancer(Name="guarded", Subnets=[cloud.subnet], SecurityGroups=[groups["balancer"]])
    address, arn = made["LoadBalancers"][0]["DNSName"], made["LoadBalancers"][0]["LoadBalancerArn"]
    target_group = elb.create_target_group(
        Name="servers", Protocol="HTTP", Port=port, VpcId=vpc, HealthCheckIntervalSeconds=5, HealthyThresholdCount=2
    )["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": target_group}]
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=forward)
    elb.register_targets(TargetGroupArn=target_group, Targets=[{"Id": machines.server}])

    def health() -> str:
        (seen,) = elb.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        return str(seen["TargetHealth"]["State"])

    def status(instance: str) -> str:
        ask = f"curl -s -m 2 -o /dev/null -w '%{{http_code}}' http://{address}/"
        return cloud.ssh(instance, ask).stdout

    eventually("the server lets no health check in", lambda: health() == "unhealthy", 30)
    with (
        allowed(cloud, groups["server"], port, UserIdGroupPairs=[{"GroupId": groups["balancer"]}]),
        allowed(cloud, groups["balancer"], 80, UserIdGroupPairs=[{"GroupId": groups["client"]}]),
    ):
        eventually("the server is healthy", lambda: health() == "healthy", 30)
        assert status(machines.client) == "200"
        assert status(machines.stranger) == "000"
        assert heard(cloud, machines.client, machines.server) == []

    elb.delete_load_balancer(LoadBalancerArn=arn)
    elb.delete_target_group(TargetGroupArn=target_group)
