"""Elastic Load Balancing's API (2015-12-01): moto's, with real states and clear refusals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol, cast

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import ELBClientError, TargetGroupNotFoundError
from moto.elbv2.responses import ELBV2Response

from tyrell.local.balancers.actions import malformed, unsupported, weights_of
from tyrell.local.balancers.addresses import Addresses
from tyrell.local.balancers.config import GroupState
from tyrell.local.balancers.records import Records
from tyrell.local.balancers.target_health import Observer


class Engine(Protocol):
    """What the API needs of the engine."""

    records: Records
    addresses: Addresses

    def wake(self) -> None:
        """Records changed: compare them with the proxies now."""

    def observed(self, group_arn: str) -> list[GroupState | None]:
        """What each load balancer that names the target group sees of it; None: nothing yet."""


class LoadBalancingApi(ELBV2Response):
    """One call of the API; moto makes an instance per call."""

    engine: ClassVar[Engine]

    def call_action(self) -> Any:
        """Answer a call; an operation that nobody wrote is an AWS error, and a change wakes the engine."""
        try:
            return super().call_action()
        except NotImplementedError:
            error = ELBClientError("UnknownOperation", f"{self._get_action()} is not supported by the embedded cloud")
            status, headers, body = self.serialized(ActionResult(error))
            return status, {**headers, "status": str(status)}, body
        finally:
            if not self._get_action().startswith("Describe"):
                self.engine.wake()

    def create_load_balancer(self) -> ActionResult:
        """Moto's, with an address of its own as DNSName; a second call with the same settings finds the first's."""
        params = self._get_params()
        kind = params.get("Type", "application")
        if kind != "application":
            raise _refusal(f"Load balancers of type '{kind}' are not supported by the embedded cloud")
        for record in list(self.elbv2_backend.load_balancers.values()):
            if record.name == params["Name"]:
                return ActionResult({"LoadBalancers": [_same(record, params)]})
        params.setdefault("Scheme", "internet-facing")
        result = super().create_load_balancer()
        [record] = cast("dict[str, list[Any]]", result.result)["LoadBalancers"]
        try:
            record.dns_name = self.engine.addresses.assign(record.arn, record.subnets[0].id)
        except ValueError as error:
            self.elbv2_backend.delete_load_balancer(record.arn)
            raise ELBClientError("InvalidSubnet", str(error)) from error
        return result

    def create_listener(self) -> ActionResult:
        """Moto's, for plain HTTP and the actions that are supported."""
        self._refuse_unsupported("DefaultActions")
        return super().create_listener()

    def modify_listener(self) -> ActionResult:
        """Moto's, for plain HTTP and the actions that are supported."""
        self._refuse_unsupported("DefaultActions")
        return super().modify_listener()

    def create_rule(self) -> ActionResult:
        """Moto's, for the actions that are supported."""
        self._refuse_unsupported("Actions")
        return super().create_rule()

    def modify_rule(self) -> ActionResult:
        """Moto's, for the actions that are supported."""
        self._refuse_unsupported("Actions")
        return super().modify_rule()

    def modify_target_group_attributes(self) -> ActionResult:
        """Moto's, but nothing is sticky."""
        if any(a["Key"] == "stickiness.enabled" and a["Value"] == "true" for a in self._get_param("Attributes", [])):
            raise _refusal("Attribute stickiness.enabled is not supported by the embedded cloud")
        return super().modify_target_group_attributes()

    def describe_target_groups(self) -> ActionResult:
        """Moto's, with the load balancers that use a group now, not those that once did."""
        for group in list(self.elbv2_backend.target_groups.values()):
            group.load_balancer_arns = self.engine.records.balancers_naming(group.arn)
        return super().describe_target_groups()

    def describe_target_health(self) -> ActionResult:
        """What the proxies see of the targets asked for, or of all that are registered or draining."""
        group = self.elbv2_backend.target_groups.get(self._get_param("TargetGroupArn"))
        if group is None:
            raise TargetGroupNotFoundError()
        observer = Observer(group, self.engine.observed(group.arn), self.engine.records.instance_state)
        asked = [target["Id"] for target in self._get_param("Targets", [])]
        descriptions = [observer.describe(target_id) for target_id in asked or observer.known]
        return ActionResult({"TargetHealthDescriptions": descriptions})

    def _refuse_unsupported(self, actions_parameter: str) -> None:
        actions: Iterable[dict[str, Any]] = self._get_param(actions_parameter, [])
        if reason := unsupported(actions):
            raise _refusal(reason)
        if reason := malformed(self._get_param("Conditions", [])):
            raise _refusal(reason)
        if self._get_param("Protocol", "HTTP") != "HTTP":
            raise _refusal("Listeners of protocol HTTPS are not supported by the embedded cloud: use HTTP")
        for arn in [arn for action in actions if action["Type"] == "forward" for arn in weights_of(action)]:
            group = self.elbv2_backend.target_groups.get(arn)
            if group and (group.target_type not in ("instance", "ip") or group.protocol != "HTTP"):
                raise _refusal(f"Target group {group.name}: only HTTP to instances or addresses is supported")


def _refusal(message: str) -> ELBClientError:
    return ELBClientError("InvalidConfigurationRequest", message)


def _same(record: Any, params: dict[str, Any]) -> Any:
    """The load balancer that has the name already, when the settings are the same ones."""
    subnets = params.get("Subnets") or [mapping["SubnetId"] for mapping in params.get("SubnetMappings", [])]
    if sorted(subnets) != sorted(subnet.id for subnet in record.subnets):
        raise ELBClientError("DuplicateLoadBalancerName", f"A load balancer named '{record.name}' already exists")
    return record
