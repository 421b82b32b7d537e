"""Lifecycle hooks, and what their owners tell of the instances they hold."""

from __future__ import annotations

from moto.core.responses import ActionResult

from tyrell.local.autoscaling.api.base import Operations
from tyrell.local.autoscaling.api.present import hook_view
from tyrell.local.autoscaling.api.requests import new_hook
from tyrell.local.autoscaling.errors import ValidationError
from tyrell.local.autoscaling.holds import heartbeat
from tyrell.local.autoscaling.records import LAUNCHING, Group, Hold


class HookOperations(Operations):
    """The operations on lifecycle hooks and lifecycle actions."""

    def put_lifecycle_hook(self) -> ActionResult:
        """PutLifecycleHook: create it or change what is given. Instances that are held already keep their terms."""
        group, name = self.group_to_change(), self.params["LifecycleHookName"]
        group.hooks[name] = new_hook(self.params, group.hooks.get(name))
        return self.done()

    def delete_lifecycle_hook(self) -> ActionResult:
        """DeleteLifecycleHook: what it holds is abandoned when launching, and continued when terminating."""
        group, name = self.group_to_change(), self.params["LifecycleHookName"]
        hook = group.hooks.pop(name, None)
        if hook is None:
            raise ValidationError(f"No Lifecycle Hook found with name {name}")
        for member in group.members.values():
            if held := member.holds.get(name):
                held.result = "ABANDON" if hook.transition == LAUNCHING else "CONTINUE"
        return self.done()

    def describe_lifecycle_hooks(self) -> ActionResult:
        """DescribeLifecycleHooks of one group."""
        group = self.groups.get(self.params["AutoScalingGroupName"])
        wanted = self.params.get("LifecycleHookNames", [])
        hooks = [hook for hook in group.hooks.values() if not wanted or hook.name in wanted]
        return ActionResult({"LifecycleHooks": [hook_view(group, hook) for hook in hooks]})

    def complete_lifecycle_action(self) -> ActionResult:
        """CompleteLifecycleAction with CONTINUE or ABANDON, by token or by instance."""
        result = self.params["LifecycleActionResult"]
        if result not in ("CONTINUE", "ABANDON"):
            raise ValidationError("Lifecycle action result must be CONTINUE or ABANDON")
        self._held().result = result
        return self.done()

    def record_lifecycle_action_heartbeat(self) -> ActionResult:
        """RecordLifecycleActionHeartbeat: hold on for one more heartbeat."""
        heartbeat(self._held(), self.clock())
        return self.done()

    def _held(self) -> Hold:
        """The hold that the request means; ValidationError when nothing is held so."""
        params = self.params
        group: Group = self.groups.get(params["AutoScalingGroupName"])
        token, instance_id = params.get("LifecycleActionToken"), params.get("InstanceId")
        for member in group.members.values():
            held = member.holds.get(params["LifecycleHookName"])
            if held and (held.token == token or (token is None and member.instance_id == instance_id)):
                return held
        what = f"instance ID {instance_id}" if token is None else f"token {token}"
        raise ValidationError(f"No active Lifecycle Action found with {what}")
