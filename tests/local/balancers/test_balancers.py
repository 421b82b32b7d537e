"""Load balancers through the API: made real, changed under load, drained."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.local.balancers.cloud import NO_LIVE_VERSION, Cloud, eventually, forward, get
from tests.local.balancers.targets import target_process

pytestmark = pytest.mark.cloud

PORT = 8080


@contextmanager
def live_group(cloud: Cloud, name: str) -> Iterator[tuple[str, str]]:
    """A target group (its ARN) with one target process (its address) that answers with `name`."""
    group, address = cloud.target_group(), cloud.address()
    with target_process(name, address, PORT):
        cloud.register(group, address, PORT)
        yield group, address


def test_a_new_load_balancer_becomes_active_and_answers_at_its_dns_name(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    listener = cloud.listener(balancer, NO_LIVE_VERSION)
    eventually(lambda: cloud.state(balancer), lambda state: state == {"Code": "active"})
    answer = eventually(lambda: get(balancer, listener), bool)
    assert answer is not None
    assert (answer.status_code, answer.text) == (503, "no live version")


def test_a_load_balancer_that_cannot_listen_is_failed_with_the_reason_until_it_can(cloud: Cloud) -> None:
    first, second = cloud.balancer(), cloud.balancer()
    with socket.create_server((first.address, 0)) as taken:
        port = taken.getsockname()[1]
        cloud.listener(first, NO_LIVE_VERSION, port=port)
        cloud.listener(second, NO_LIVE_VERSION, port=port)
        failed = eventually(lambda: cloud.state(first), lambda state: state["Code"] == "failed")
        assert failed["Reason"].startswith(f"cannot listen on {first.address}:{port}: ")
        assert "address already in use" in failed["Reason"]
        eventually(lambda: cloud.state(second)["Code"], lambda code: code == "active")
    eventually(lambda: cloud.state(first), lambda state: state == {"Code": "active"})


def test_weights_change_twenty_times_under_load_and_no_request_fails(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    listener = cloud.listener(balancer, NO_LIVE_VERSION)
    with live_group(cloud, "blue") as (blue, _), live_group(cloud, "green") as (green, _):
        rule = cloud.rule(listener, {blue: 100, green: 0})
        cloud.await_states(blue, {"healthy"})
        cloud.await_states(green, {"healthy"})
        load = Load(f"http://{balancer.address}:{listener.port}/")
        with load.running(threads=4):
            for change in range(20):
                before = load.count
                cloud.weigh(rule, {blue: change * 5, green: 100 - change * 5})
                load.await_more_than(before + 20)
        assert set(load.statuses) == {200}
        assert set(load.names) == {"blue", "green"}


def test_a_group_that_no_rule_names_is_unused_and_a_weight_of_zero_is_enough_to_be_checked(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    listener = cloud.listener(balancer, NO_LIVE_VERSION)
    with live_group(cloud, "blue") as (blue, address), live_group(cloud, "green") as (green, _):
        assert cloud.health(blue)[address] == {
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        }
        rule = cloud.rule(listener, {blue: 0, green: 1})
        cloud.await_states(blue, {"healthy"})
        groups = cloud.elb.describe_target_groups(TargetGroupArns=[blue])["TargetGroups"]
        assert groups[0]["LoadBalancerArns"] == [balancer.arn]
        cloud.weigh(rule, {green: 1})
        cloud.await_states(blue, {"unused"})


def test_a_deregistered_target_drains_and_disappears(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    with live_group(cloud, "blue") as (blue, address):
        listener = cloud.listener(balancer, forward({blue: 1}))
        cloud.await_states(blue, {"healthy"})
        held = threading.Thread(target=get, args=(balancer, listener, "/held"))
        held.start()
        state = eventually(lambda: cloud.engine.observed(blue)[0], bool)
        assert state is not None
        eventually(lambda: cloud.engine.observed(blue)[0], lambda seen: bool(seen and seen.targets[address].in_flight))
        cloud.elb.modify_target_group_attributes(
            TargetGroupArn=blue, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]
        )
        cloud.deregister(blue, address)
        assert cloud.health(blue)[address]["State"] == "draining"
        cloud.await_states(blue, set())
        held.join(5)
        assert not held.is_alive()
        cloud.register(blue, address, PORT)
        cloud.await_states(blue, {"healthy"})


def test_an_instance_that_is_stopped_or_terminated_is_no_target_any_more(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    group = cloud.target_group(target_type="instance")
    run = cloud.ec2.run_instances(ImageId="ami-00000001", MinCount=1, MaxCount=1, SubnetId=cloud.subnets[0])
    instance, address = run["Instances"][0]["InstanceId"], run["Instances"][0]["PrivateIpAddress"]
    assert address != balancer.address
    with target_process("blue", address, PORT):
        cloud.register(group, instance, PORT)
        cloud.listener(balancer, forward({group: 1}))
        cloud.await_states(group, {"healthy"})
        cloud.ec2.stop_instances(InstanceIds=[instance])
        assert cloud.health(group)[instance]["Reason"] == "Target.InvalidState"
        cloud.ec2.start_instances(InstanceIds=[instance])
        cloud.await_states(group, {"healthy"})
        cloud.ec2.terminate_instances(InstanceIds=[instance])
        cloud.await_states(group, set())


def test_creating_a_load_balancer_twice_finds_the_first_and_other_subnets_are_refused(cloud: Cloud) -> None:
    first = cloud.elb.create_load_balancer(Name="twice", Subnets=cloud.subnets)["LoadBalancers"][0]
    again = cloud.elb.create_load_balancer(Name="twice", Subnets=cloud.subnets)["LoadBalancers"][0]
    assert again["LoadBalancerArn"] == first["LoadBalancerArn"]
    with pytest.raises(ClientError, match="DuplicateLoadBalancerName"):
        cloud.elb.create_load_balancer(Name="twice", Subnets=cloud.subnets[:1])


def test_what_is_not_supported_is_refused_by_name(cloud: Cloud) -> None:
    balancer, group = cloud.balancer(), cloud.target_group()
    sticky = {"TargetGroups": [{"TargetGroupArn": group}], "TargetGroupStickinessConfig": {"Enabled": True}}
    with pytest.raises(ClientError, match="TargetGroupStickinessConfig is not supported"):
        cloud.listener(balancer, {"Type": "forward", "ForwardConfig": sticky})
    with pytest.raises(ClientError, match="type 'network' are not supported"):
        cloud.elb.create_load_balancer(Name="nlb", Subnets=cloud.subnets, Type="network")
    with pytest.raises(ClientError, match="use HTTP"):
        cloud.elb.create_listener(
            LoadBalancerArn=balancer.arn, Protocol="HTTPS", Port=443, DefaultActions=[NO_LIVE_VERSION]
        )
    listener = cloud.listener(balancer, NO_LIVE_VERSION)
    with pytest.raises(ClientError, match="is not a CIDR block"):
        cloud.elb.create_rule(
            ListenerArn=listener.arn,
            Priority=1,
            Conditions=[{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0"]}}],
            Actions=[NO_LIVE_VERSION],
        )
    elsewhere = cloud.ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
    subnet = cloud.ec2.create_subnet(VpcId=elsewhere, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    with pytest.raises(ClientError, match="outside the network"):
        cloud.elb.create_load_balancer(Name="elsewhere", Subnets=[subnet])
    with pytest.raises(ClientError, match="DescribeTrustStores is not supported"):
        cloud.elb.describe_trust_stores()


class Load:
    """Requests as fast as they are answered, and what the answers were."""

    def __init__(self, target: str) -> None:
        self._url = target
        self._stop = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.names: Counter[str] = Counter()
        self.count = 0

    @contextmanager
    def running(self, threads: int) -> Iterator[None]:
        """Send them from `threads` threads inside the block."""
        workers = [threading.Thread(target=self._send) for _ in range(threads)]
        for worker in workers:
            worker.start()
        try:
            yield
        finally:
            self._stop.set()
            for worker in workers:
                worker.join()

    def await_more_than(self, count: int) -> None:
        """Wait until so many requests were answered."""
        eventually(lambda: self.count, lambda seen: seen > count)

    def _send(self) -> None:
        with httpx.Client(trust_env=False) as session:
            while not self._stop.is_set():
                try:
                    answer = session.get(self._url)
                except httpx.TransportError:
                    self.statuses[0] += 1
                else:
                    self.statuses[answer.status_code] += 1
                    self.names[answer.text] += 1
                self.count += 1
