"""What every operation needs: the request's parameters, the groups, and how results leave in pages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime
from typing import Any

from botocore.model import OperationNotFoundError
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model

from tyrell.local.autoscaling.causes import at
from tyrell.local.autoscaling.errors import InternalFailure, UnknownOperation, ValidationError
from tyrell.local.autoscaling.groups import Groups
from tyrell.local.autoscaling.records import Group
from tyrell.local.settings import Settings

log = logging.getLogger(__name__)

LOCK_THEMSELVES = frozenset({"CreateAutoScalingGroup", "UpdateAutoScalingGroup", "AttachLoadBalancerTargetGroups"})
"""Operations that first ask other services, which takes time, and only then take the groups' lock."""

Page = tuple[list[Any], dict[str, str]]


class Operations(BaseResponse):
    """One request to the service. `params` are its parameters, parsed by botocore's model of the service."""

    def __init__(
        self, settings: Settings, groups: Groups, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        super().__init__(service_name="autoscaling")
        self.automated_parameter_parsing = True
        self.settings = settings
        self.groups = groups
        self.clock = clock
        self.wake = wake

    def serve(self, request: Any, full_url: str, headers: Any) -> Any:
        """Answer the request: status, headers and body."""
        return self._dispatch(request, full_url, headers)

    def parse_parameters(self, request: Any) -> None:
        """Parse them, unless AWS has no such operation."""
        with suppress(OperationNotFoundError):
            super().parse_parameters(request)

    def call_action(self) -> Any:
        """Run the operation under the groups' lock; one that is not there is an error in AWS's form."""
        operation = str(self._get_action())
        if operation not in self.offered():
            refusal = UnknownOperation(f"The embedded cloud's Auto Scaling has no operation {operation}.")
            return self.serialized(ActionResult(refusal))
        try:
            with nullcontext() if operation in LOCK_THEMSELVES else self.groups.lock:
                return super().call_action()
        except Exception as error:
            log.exception("%s failed", operation)
            return self.serialized(ActionResult(InternalFailure(f"{operation}: {type(error).__name__}: {error}")))

    @classmethod
    def offered(cls) -> set[str]:
        """The names of the operations that this class has."""
        known = get_service_model("autoscaling").operation_names
        return {operation for operation in known if hasattr(cls, camelcase_to_underscores(operation))}

    def group_to_change(self) -> Group:
        """The group that the request names; ValidationError when it is not there or about to go."""
        return self.groups.to_change(self.params["AutoScalingGroupName"])

    def done(self, **result: Any) -> ActionResult:
        """The operation's result, after it changed something: the engine shall look at it at once."""
        self.wake()
        return ActionResult(result)

    def because(self, sentence: str) -> str:
        """A sentence for the cause of an activity, with the time in front."""
        return at(self.clock(), sentence)

    def page(self, items: Sequence[Any], size: int = 50) -> Page:
        """The page of `items` that the request asks for (MaxRecords, NextToken), and the token of the next one."""
        token = self.params.get("NextToken", "0")
        if not token.isdigit():
            raise ValidationError(f"Invalid NextToken: {token}")
        start = int(token)
        end = start + int(self.params.get("MaxRecords", size))
        return list(items[start:end]), {"NextToken": str(end)} if end < len(items) else {}
