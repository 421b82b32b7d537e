"""The places where moto's own ELBv2 and CloudWatch are wrong for balancers that are real; the only patches of both.

Written against moto 5.2.5; `tests/local/balancers/test_moto_contract.py` fails when a new moto changes under them.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import moto.cloudwatch.urls
import moto.elb.urls
from moto.core.responses import BaseResponse
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup


def patch_moto(load_balancing: type, cloudwatch: type[BaseResponse]) -> ExitStack:
    """Have moto answer calls with these APIs and keep records as below; closing the stack undoes all of it."""
    undo = ExitStack()
    # The classic ELB's URLs serve both APIs and look this class up by its name at each call.
    _replace(undo, moto.elb.urls, "ELBV2Response", load_balancing)
    _replace(undo, moto.cloudwatch.urls, "url_paths", {"{0}/$": cloudwatch.dispatch})
    # moto: active as soon as anybody looks. The engine sets the state, when the proxy listens.
    _replace(undo, FakeLoadBalancer, "activate", _stay)
    # moto: no reason.
    _replace(undo, FakeLoadBalancer, "load_balancer_state", property(_state_with_reason))
    # moto: an error for targets that are not registered, and those before them are deregistered all the same.
    _replace(undo, FakeTargetGroup, "deregister", _deregister)
    # moto: forgotten by "describe all", remembered for ever otherwise. They drain like all others.
    _replace(undo, FakeTargetGroup, "deregister_terminated_instances", _deregister_terminated_instances)
    return undo


def _replace(undo: ExitStack, owner: Any, name: str, replacement: object) -> None:
    undo.callback(setattr, owner, name, getattr(owner, name))
    setattr(owner, name, replacement)


def _stay(_: Any) -> None:
    return None


def _state_with_reason(balancer: Any) -> dict[str, str]:
    reason: str | None = getattr(balancer, "state_reason", None)
    return {"Code": balancer.state, "Reason": reason} if reason else {"Code": balancer.state}


def _deregister(group: Any, targets: list[dict[str, Any]]) -> None:
    """Targets that are not registered are no error, as on AWS: see the API reference of DeregisterTargets."""
    for target in targets:
        record = group.targets.pop(target["Id"], None)
        if record is not None:
            group.deregistered_targets[target["Id"]] = record


def _deregister_terminated_instances(group: Any, instance_ids: list[str]) -> None:
    group.deregister([{"Id": instance_id} for instance_id in instance_ids])
