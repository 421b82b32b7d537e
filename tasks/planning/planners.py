"""Who plans which flow, by the flow's name; a flow that changes nothing has no planner."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from tasks.planning.bringing_up import plan_bring_up
from tasks.planning.images import plan_bake, plan_build_image, plan_prune_builds
from tasks.planning.leaving import plan_prune, plan_retire, plan_sweep
from tasks.planning.merging import plan_merge_buckets
from tasks.planning.metrics import (
    plan_metrics_attach,
    plan_metrics_backup,
    plan_metrics_detach,
    plan_metrics_down,
    plan_metrics_restore,
    plan_metrics_setup,
)
from tasks.planning.moving_traffic import plan_rollback, plan_switch
from tasks.planning.plan import Draft
from tasks.planning.releasing import plan_release
from tasks.planning.sizes import plan_pause_workers, plan_scale, plan_scale_workers
from tasks.planning.stacks import plan_base_stack, plan_network, plan_stack_update
from tasks.planning.tearing_down import plan_tear_down
from tasks.planning.upgrading import plan_deploy, plan_upgrade

PLANNERS: dict[str, Callable[..., Draft]] = {
    "bake-ami": plan_bake,
    "base-stack": plan_base_stack,
    "bring-up": plan_bring_up,
    "build-image": plan_build_image,
    "deploy": plan_deploy,
    "merge-buckets": plan_merge_buckets,
    "metrics-attach": plan_metrics_attach,
    "metrics-backup": plan_metrics_backup,
    "metrics-detach": plan_metrics_detach,
    "metrics-down": plan_metrics_down,
    "metrics-restore": plan_metrics_restore,
    "metrics-setup": plan_metrics_setup,
    "network": plan_network,
    "pause-workers": plan_pause_workers,
    "prune": plan_prune,
    "prune-builds": plan_prune_builds,
    "release": plan_release,
    "retire": plan_retire,
    "rollback": plan_rollback,
    "scale": plan_scale,
    "scale-workers": plan_scale_workers,
    "stack-update": plan_stack_update,
    "sweep": plan_sweep,
    "switch": plan_switch,
    "tear-down": plan_tear_down,
    "upgrade": plan_upgrade,
}


def draft_of(flow: str, parameters: Mapping[str, Any]) -> Draft:
    """What the flow of that name would do with all of its parameters; its planner gets those that it names.

    Raises what the flow would raise before it changes anything.
    """
    planner = PLANNERS[flow]
    return planner(**{name: parameters[name] for name in inspect.signature(planner).parameters})
