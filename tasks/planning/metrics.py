"""What the flows of metrics stacks would do."""

from __future__ import annotations

from datetime import timedelta

from tasks.amis import find_release, find_without
from tasks.buckets import find_bucket
from tasks.errors import NotFound, UsageError
from tasks.model import Metrics
from tasks.monitoring.keeper import find_backup
from tasks.monitoring.stacks import (
    attachment_blueprint,
    check_attachable,
    check_metrics,
    find_attached,
    find_attached_to,
    find_metrics,
    find_network,
    metrics_blueprint,
)
from tasks.monitoring.storage import Storage, backup_bucket, find_storage
from tasks.monitoring.users import users_of
from tasks.planning.applying import foresee_apply
from tasks.planning.facts import Facts, body_of, stack_facts
from tasks.planning.plan import NONE, Draft, Items, Step, added
from tasks.planning.steps import IN_ITS_TIME, deleting
from tasks.planning.templates import DISK, items_of
from tasks.roles import load_role
from tasks.stacks import check_ours, find_stack


def plan_metrics_setup(metrics: Metrics, ami: str) -> Draft:
    """A metrics stack as it is to be."""
    release = find_release(ami, kind="metrics")
    check_metrics(metrics)
    storage = _storage(metrics)
    blueprint = metrics_blueprint(metrics, release, storage or _to_be_made(metrics), find_without(release.ami))
    applied = foresee_apply(blueprint)
    made = [] if storage else [Step(what=f"create a volume of {metrics.disk_gib} GiB", most=timedelta(minutes=5))]
    if not find_bucket(backup_bucket(metrics.name)):
        made.append(Step(what=f"create bucket {backup_bucket(metrics.name)}"))
    ready = Step(what="wait for InfluxDB, its databases and users", most=load_role("metrics").patience.timeout)
    named = [Step(what=f"name it {metrics.domain}")] if metrics.zone else []
    after = added(items_of(blueprint.template), _machine_items(metrics.disk_gib))
    return Draft(
        of=metrics.name,
        facts=applied.facts | _volume_facts(metrics, storage),
        steps=(*made, *applied.steps, ready, *named),
        changes=applied.changes,
        before=after if find_stack(metrics.name) else {},
        during=after,
        after=after,
        fixes={"ami": release.ami},
    )


def _storage(metrics: Metrics) -> Storage | None:
    try:
        return find_storage(metrics)
    except NotFound:
        return None


def _to_be_made(metrics: Metrics) -> Storage:
    return Storage(volume="", subnet="", bucket=backup_bucket(metrics.name))


def _volume_facts(metrics: Metrics, storage: Storage | None) -> Facts:
    return {f"the volume of {metrics.name}": storage.volume if storage else NONE}


def _machine_items(disk_gib: int) -> Items:
    role = load_role("metrics")
    return {role.instance_type: role.size.default, DISK: role.volume_gib + disk_gib}


def plan_metrics_attach(stack: str, metrics: str) -> Draft:
    """A way to the metrics stack, and users."""
    check_attachable(stack, find_network(stack), metrics)
    applied = foresee_apply(attachment_blueprint(stack, metrics))
    users = tuple(Step(what=f"have user {user.name} in {metrics}") for user in users_of(stack, metrics))
    return Draft(of=stack, facts=applied.facts, steps=(*applied.steps, *users), changes=applied.changes)


def plan_metrics_detach(stack: str) -> Draft:
    """Users and way go; nothing for a stack that writes nowhere."""
    metrics = find_attached_to(stack)
    facts = {f"the metrics stack of {stack}": metrics or NONE}
    if not metrics:
        return Draft(of=stack, facts=facts, steps=())
    users = tuple(Step(what=f"delete user {user.name} of {metrics}") for user in users_of(stack, metrics))
    return Draft(of=stack, facts=facts, steps=(*users, deleting(attachment_blueprint(stack, metrics).name)))


def plan_metrics_down(metrics: str, delete_data: bool, yes_delete_data: str) -> Draft:
    """The metrics stack goes; its data are kept unless that is said twice."""
    found = check_ours(metrics, "metrics")
    if attached := find_attached(metrics):
        raise UsageError(f"stack {attached[0]} writes to {metrics}; `tyrell metrics detach {attached[0]}` first")
    if delete_data and yes_delete_data != metrics:
        raise UsageError(f"deleting all data of {metrics} is to be said twice: --yes-delete-data {metrics}")
    fate = "delete" if delete_data else "keep"
    data = Step(what=f"{fate} its volume, its bucket {backup_bucket(metrics)} and its secrets")
    role = load_role("metrics")
    machine = {role.instance_type: role.size.default, DISK: role.volume_gib}
    return Draft(
        of=metrics,
        facts=stack_facts(metrics),
        steps=(*([deleting(metrics)] if found else []), data),
        before=added(items_of(body_of(found)), machine) if found else {},
        during=added(items_of(body_of(found)), machine) if found else {},
        seen=("the price of its data volume is not in these sums: it is kept unless you say otherwise",),
    )


def plan_metrics_backup(metrics: str) -> Draft:
    """One more backup in its bucket."""
    find_metrics(metrics)
    what = f"write a backup of all metrics and usage into {backup_bucket(metrics)}"
    return Draft(of=metrics, facts=stack_facts(metrics), steps=(Step(what=what, most=IN_ITS_TIME),))


def plan_metrics_restore(metrics: str, backup: str) -> Draft:
    """The data as they were."""
    find_metrics(metrics)
    key = find_backup(metrics, backup)
    what = f"make all data what they were in {key}; what was written since is gone"
    steps = (Step(what=what, most=IN_ITS_TIME), Step(what="see to databases and users"))
    return Draft(of=metrics, facts=stack_facts(metrics), steps=steps, fixes={"backup": key})
