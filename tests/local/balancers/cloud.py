"""moto with the engine in this process, and the few calls that tests of load balancers make again and again."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.waiting import free_port
from tyrell.local.aws import client
from tyrell.local.balancers.engine import Balancers
from tyrell.local.faults.balancers import without_health
from tyrell.local.faults.switches import Switches
from tyrell.local.server import start_server
from tyrell.local.settings import Settings

Seen = TypeVar("Seen")

NETWORK = IPv4Network("127.35.0.0/17")
_targets = (str(address) for address in IPv4Network("127.35.112.0/22"))
_names = itertools.count(1)


def eventually(look: Callable[[], Seen], ready: Callable[[Seen], bool], seconds: float = 30) -> Seen:
    """What `look` sees as soon as it is `ready`; fails with what was seen last when the time is over."""
    deadline = time.monotonic() + seconds
    while not ready(seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {seen}"
        threading.Event().wait(0.02)
    return seen


@dataclass(frozen=True)
class LoadBalancer:
    arn: str
    name: str
    address: str


@dataclass(frozen=True)
class Listener:
    arn: str
    port: int


class Cloud:
    """The API of an embedded cloud whose load balancers are real."""

    def __init__(self, settings: Settings, engine: Balancers) -> None:
        self.settings = settings
        self.engine = engine
        self.ec2 = client(settings, "ec2")
        self.elb = client(settings, "elbv2")
        self.vpc = self.ec2.create_vpc(CidrBlock=str(settings.network))["Vpc"]["VpcId"]
        ranges = settings.network.subnets(new_prefix=24)
        self.subnets = [self._subnet(str(next(ranges)), f"us-east-1{zone}") for zone in "ab"]

    @classmethod
    @contextmanager
    def running(cls, home: Path, network: IPv4Network = NETWORK) -> Iterator[Cloud]:
        """A cloud on free ports that can be given faults, gone afterwards with all it made."""
        settings = Settings(home=home, port=free_port(), network=network)
        faults = Switches()
        engine = Balancers(settings, disturbed=lambda balancer: without_health(balancer, faults))
        engine.install()
        server = start_server(settings, faults)
        engine.start()
        cloud = cls(settings, engine)
        try:
            yield cloud
        finally:
            cloud._clean_up()
            engine.stop()
            server.stop()

    def address(self) -> str:
        """An address that no other target has."""
        return next(_targets)

    def balancer(self) -> LoadBalancer:
        """A load balancer with a name of its own."""
        name = f"lb-{next(_names)}"
        made = self.elb.create_load_balancer(Name=name, Subnets=self.subnets)["LoadBalancers"][0]
        return LoadBalancer(made["LoadBalancerArn"], name, made["DNSName"])

    def listener(self, balancer: LoadBalancer, default: Mapping[str, Any], port: int | None = None) -> Listener:
        """A listener on a free port."""
        port = port or free_port(balancer.address)
        made = self.elb.create_listener(
            LoadBalancerArn=balancer.arn, Protocol="HTTP", Port=port, DefaultActions=[default]
        )
        return Listener(made["Listeners"][0]["ListenerArn"], port)

    def target_group(self, target_type: str = "ip", **settings: Any) -> str:
        """A target group (its ARN) that is checked every 5 seconds at /health."""
        checks = {"HealthCheckPath": "/health", "HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2}
        made = self.elb.create_target_group(
            Name=f"tg-{next(_names)}",
            Protocol="HTTP",
            Port=8080,
            VpcId=self.vpc,
            TargetType=target_type,
            **(checks | settings),
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def register(self, group: str, target_id: str, port: int) -> None:
        self.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": target_id, "Port": port}])

    def deregister(self, group: str, target_id: str) -> None:
        self.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": target_id}])

    def rule(self, listener: Listener, weights: Mapping[str, int], path: str = "/*", priority: int = 10) -> str:
        """A rule (its ARN) that forwards all paths by weight."""
        made = self.elb.create_rule(
            ListenerArn=listener.arn,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [path]}],
            Actions=[forward(weights)],
        )
        return str(made["Rules"][0]["RuleArn"])

    def weigh(self, rule: str, weights: Mapping[str, int]) -> None:
        self.elb.modify_rule(RuleArn=rule, Actions=[forward(weights)])

    def health(self, group: str) -> dict[str, dict[str, str]]:
        """By target id, the TargetHealth of every target of the group."""
        seen = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"] for each in seen}

    def await_states(self, group: str, states: set[str], seconds: float = 30) -> None:
        """Wait until the targets of the group have exactly these states; an empty set: until there is no target."""
        eventually(
            lambda: {each["State"] for each in self.health(group).values()}, lambda seen: seen == states, seconds
        )

    def state(self, balancer: LoadBalancer) -> dict[str, str]:
        """The State of a load balancer."""
        found = self.elb.describe_load_balancers(LoadBalancerArns=[balancer.arn])["LoadBalancers"]
        state: dict[str, str] = found[0]["State"]
        return state

    def proxy_pid(self, balancer: LoadBalancer) -> int:
        """The process that is the load balancer."""
        return eventually(lambda: self.engine.proxy_pid(balancer.arn) or 0, bool)

    def _subnet(self, cidr: str, zone: str) -> str:
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=zone)
        return str(made["Subnet"]["SubnetId"])

    def _clean_up(self) -> None:
        for balancer in self.elb.describe_load_balancers()["LoadBalancers"]:
            if balancer["VpcId"] == self.vpc:
                self.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        for group in self.elb.describe_target_groups()["TargetGroups"]:
            if group["VpcId"] == self.vpc:
                self.elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])
        eventually(self._interfaces_of_balancers, lambda seen: not seen)

    def _interfaces_of_balancers(self) -> list[str]:
        in_vpc = [{"Name": "vpc-id", "Values": [self.vpc]}]
        interfaces = self.ec2.describe_network_interfaces(Filters=in_vpc)["NetworkInterfaces"]
        return [each["Description"] for each in interfaces if each["Description"].startswith("ELB ")]


def forward(weights: Mapping[str, int]) -> dict[str, Any]:
    """A forward action."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


NO_LIVE_VERSION = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "no live version"},
}
"""The action of a listener whose rules name nobody."""


def get(balancer: LoadBalancer, listener: Listener, path: str = "/") -> httpx.Response | None:
    """The answer of a load balancer; None when nobody listens."""
    try:
        return httpx.get(f"http://{balancer.address}:{listener.port}{path}", trust_env=False)
    except httpx.TransportError:
        return None
