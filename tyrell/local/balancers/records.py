"""Reading moto's ELBv2 records: what every proxy should be, and writing back what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from moto.backends import get_backend

from tyrell.local.balancers.actions import read_action, read_condition, target_groups_of
from tyrell.local.balancers.config import Balancer, HealthCheck, Listener, Rule, Target, TargetGroup
from tyrell.local.settings import ACCOUNT, Settings


class Records:
    """moto's records of one region. Reading copies what it iterates over: moto's threads change it meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self._region = settings.region
        self._network = settings.network

    @property
    def _backend(self) -> Any:
        return get_backend("elbv2")[ACCOUNT][self._region]

    def balancers(self) -> dict[str, Balancer]:
        """By ARN, the configuration of every load balancer that has an address in this cloud's network."""
        instances = self._instances()
        return {
            arn: self._balancer(record, instances)
            for arn, record in list(self._backend.load_balancers.items())
            if self._is_ours(record.dns_name)
        }

    def balancers_naming(self, group_arn: str) -> list[str]:
        """The ARNs of the load balancers with a rule that forwards to the target group, at whatever weight."""
        return [
            arn
            for arn, record in list(self._backend.load_balancers.items())
            if any(group_arn in target_groups_of(rule.actions) for _, rule in _rules(record))
        ]

    def set_state(self, arn: str, code: str, reason: str | None = None) -> bool:
        """Record the state of a load balancer (it may be gone by now); whether that is a change."""
        record = self._backend.load_balancers.get(arn)
        if record is None or (record.state, getattr(record, "state_reason", None)) == (code, reason):
            return False
        record.state, record.state_reason = code, reason
        return True

    def draining(self) -> list[tuple[str, str]]:
        """Target group ARN and target id of every target that is being deregistered."""
        groups = list(self._backend.target_groups.items())
        return [(arn, target_id) for arn, group in groups for target_id in list(group.deregistered_targets)]

    def forget(self, group_arn: str, target_id: str) -> None:
        """A deregistered target is drained: nothing is known of it any more."""
        group = self._backend.target_groups.get(group_arn)
        if group is not None:
            group.deregistered_targets.pop(target_id, None)

    def deregister_lost_instances(self) -> None:
        """Deregister targets whose instance is terminated, or on its way there, as AWS does."""
        instances = self._instances()
        for group in list(self._backend.target_groups.values()):
            lost = [
                {"Id": target_id}
                for target_id in list(group.targets)
                if target_id.startswith("i-")
                and (target_id not in instances or instances[target_id].state in ("shutting-down", "terminated"))
            ]
            if lost:
                group.deregister(lost)

    def instance_state(self, target_id: str) -> str:
        """The state of the instance that is a target; an IP address is always "running"."""
        if not target_id.startswith("i-"):
            return "running"
        instance = self._backend.ec2_backend.get_instance_by_id(target_id)
        return instance.state if instance else "terminated"

    def _is_ours(self, dns_name: str) -> bool:
        """Whether it is an address of this cloud; it is a name of moto's until the address is assigned."""
        try:
            return ip_address(dns_name) in self._network
        except ValueError:
            return False

    def _instances(self) -> dict[str, Any]:
        reservations = self._backend.ec2_backend.all_reservations()
        return {instance.id: instance for reservation in reservations for instance in list(reservation.instances)}

    def _balancer(self, record: Any, instances: dict[str, Any]) -> Balancer:
        rules: dict[int, list[Any]] = {int(listener.port): [] for listener in list(record.listeners.values())}
        for port, rule in _rules(record):
            rules[port].append(rule)
        named = {arn for _, rule in _rules(record) for arn in target_groups_of(rule.actions)}
        groups = {arn: self._backend.target_groups.get(arn) for arn in sorted(named)}
        return Balancer(
            name=record.name,
            address=record.dns_name,
            idle_timeout=float(record.attrs.get("idle_timeout.timeout_seconds", 60)),
            access_log=record.attrs.get("access_logs.s3.enabled") == "true",
            listeners=tuple(
                Listener(port=port, rules=tuple(_read_rule(rule) for rule in sorted(of_port, key=_priority)))
                for port, of_port in rules.items()
            ),
            target_groups={arn: _target_group(group, instances) for arn, group in groups.items() if group},
        )


def _rules(balancer: Any) -> Iterator[tuple[int, Any]]:
    for listener in list(balancer.listeners.values()):
        for rule in list(listener.rules.values()):
            yield int(listener.port), rule


def _priority(rule: Any) -> float:
    return float("inf") if rule.priority == "default" else int(rule.priority)


def _read_rule(rule: Any) -> Rule:
    return Rule(
        arn=rule.arn,
        conditions=tuple(read_condition(condition) for condition in rule.conditions),
        action=read_action(rule.actions[-1].data),
    )


def _target_group(group: Any, instances: dict[str, Any]) -> TargetGroup:
    port = group.health_check_port
    return TargetGroup(
        name=group.name,
        algorithm=group.attributes["load_balancing.algorithm.type"],
        deregistration_delay=float(group.attributes["deregistration_delay.timeout_seconds"]),
        health_check=HealthCheck(
            path=group.health_check_path or "/",
            port=None if port in (None, "traffic-port") else int(port),
            interval=float(group.health_check_interval_seconds),
            timeout=float(group.health_check_timeout_seconds),
            healthy_threshold=int(group.healthy_threshold_count),
            unhealthy_threshold=int(group.unhealthy_threshold_count),
            codes=group.matcher["HttpCode"],
        ),
        targets=dict(_targets(group, instances)),
    )


def _targets(group: Any, instances: dict[str, Any]) -> Iterator[tuple[str, Target]]:
    """Registered and draining targets. One whose instance is not running is left out: there is nobody to ask."""
    for draining, records in ((True, group.deregistered_targets), (False, group.targets)):
        for target_id, record in list(records.items()):
            instance = instances.get(target_id)
            if instance is not None and (draining or instance.state == "running"):
                yield target_id, Target(address=instance.private_ip, port=int(record["Port"]), draining=draining)
            elif instance is None and not target_id.startswith("i-"):
                yield target_id, Target(address=target_id, port=int(record["Port"]), draining=draining)
