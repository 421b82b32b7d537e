"""The network of a cloud of containers: load balancers on its bridge, clouds side by side, addresses in use."""

from __future__ import annotations

import subprocess

import pytest
from botocore.exceptions import ClientError

from tests.flows.embedded import Tyrell
from tests.local.containers.cloud import Cloud, cloud_of_containers
from tests.waiting import eventually

pytestmark = pytest.mark.docker

FIXED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/plain"}}]


def addresses_of_this_machine() -> str:
    return subprocess.run(["ip", "-brief", "address"], capture_output=True, text=True, check=True).stdout


def test_a_load_balancer_is_reached_from_here_and_from_instances_until_it_is_deleted(
    cloud: Cloud, instance: str
) -> None:
    elb = cloud.aws("elbv2")
    made = elb.create_load_balancer(Name="door", Subnets=[cloud.subnet])["LoadBalancers"][0]
    address, arn = made["DNSName"], made["LoadBalancerArn"]
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=8080, DefaultActions=FIXED)
    ask = f"curl -s -o /dev/null -w '%{{http_code}}' http://{address}:8080/"

    def from_here() -> bool:
        return subprocess.run(ask, shell=True, capture_output=True, text=True, check=False).stdout == "200"  # noqa: S602

    eventually("the load balancer answers", from_here)
    assert cloud.says(instance, ask) == "200"
    assert f"{address}/32" in addresses_of_this_machine()

    elb.delete_load_balancer(LoadBalancerArn=arn)

    eventually("its address is given up", lambda: f"{address}/32" not in addresses_of_this_machine())


def test_a_vpc_outside_the_network_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match=r"InvalidVpc.Range.*'10.0.0.0/16' is outside 10.77.0.0/16"):
        cloud.ec2.create_vpc(CidrBlock="10.0.0.0/16")


def test_a_second_cloud_is_independent_of_the_first(cloud: Cloud, instance: str) -> None:
    with cloud_of_containers("10.78.0.0/16") as second:
        other = second.ready(second.debian)
        ask = "curl -s -X PUT -o /dev/null -w '%{http_code}' -H 'X-aws-ec2-metadata-token-ttl-seconds: 9' "

        assert second.says(other, f"{ask} http://169.254.169.254/latest/api/token") == "200"
        assert second.says(other, "hostname --all-ip-addresses").startswith("10.78.")

    assert cloud.says(instance, f"{ask} http://169.254.169.254/latest/api/token") == "200"


def test_a_network_that_is_in_use_is_refused(cloud: Cloud) -> None:
    clash = Tyrell(cloud.settings.home / "clash")
    refused = clash.run("local", "up", "--machines", "docker", "--network", "10.77.8.0/22", "--no-prefect")

    assert refused.returncode == 2
    assert "10.77.8.0/22 overlaps 10.77.0.0/16 of the Docker network tyrell-" in refused.stderr
