"""The stack-update flow: what outlives releases becomes as the repository has it, and nothing is lost unnamed."""

from prefect import flow

from flows.upgrade import upgrade
from tasks.bases import base_blueprint, check_base, find_standing
from tasks.calendar_checks import check_calendar
from tasks.model import StackName
from tasks.networks import network_blueprint
from tasks.overview import publish_changes
from tasks.parameters import Wait
from tasks.renewals import find_renewal
from tasks.run_list import tag_run
from tasks.steps import one_heartbeat
from tasks.updates import Update, carry_out, forget, holding_all, make_change_sets, publish_update, update_of


@flow(name="stack-update", flow_run_name="update stack {stack}", on_running=[tag_run])
def update_stack(
    stack: StackName,
    port: int | None = None,
    allow_replace: tuple[str, ...] = (),
    core_services: bool | None = None,
    yes: bool = False,
    agreed: Update | None = None,
    wait: Wait = None,
    override_calendar: str = "",
) -> Update:
    """Bring network and base of a stack up to date by change sets, then core-services, one member at a time.

    Args:
        stack: the stack
        port: another port for its balancers
        allow_replace: the logical ids of what may be replaced or removed; whatever else would be is refused
        core_services: whether to replace core-services; without it when a newer machine image has others
        yes: do it; without it the run only says what would be done
        agreed: what an earlier run has said would be done; anything else is refused
        wait: how long to wait for other changes of the stack to end, as PT10M; without it this one is refused at once
        override_calendar: why it goes on though the stack's calendar holds it; recorded
    """
    network, wanted = find_standing(stack, port)
    check_base(wanted)
    renewal = find_renewal(stack, core_services)
    blueprints = (network_blueprint(network), base_blueprint(wanted))
    if not yes:
        change_sets = make_change_sets(blueprints)
        forget(change_sets)
        update = update_of(stack, change_sets, renewal)
        publish_update(update)
        return update

    check_calendar(stack, "stack-update", override_calendar)
    with holding_all(stack, "update of the base", wait) as locks:
        change_sets = make_change_sets(blueprints)
        update = update_of(stack, change_sets, renewal)
        publish_update(update)
        changes = carry_out(change_sets, update, agreed, allow_replace, locks)
    publish_changes(stack, changes)
    if renewal:
        with one_heartbeat():
            new = renewal.version
            changes += upgrade(stack, new.role, renewal.release.ami, new.id, wait=wait)
    return update.model_copy(update={"done": changes})
