"""The apply flow: exactly what was planned, or nothing when the world is not as it was then."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from prefect import Flow, flow
from prefect.exceptions import ParameterTypeError, SignatureMismatchError

import flows
from tasks.errors import UsageError
from tasks.planning.making import all_parameters, check_fits_here
from tasks.planning.plan import Plan, check_unmoved
from tasks.planning.planners import draft_of
from tasks.planning.publishing import publish_plan
from tasks.steps import one_heartbeat


@flow(name="apply", flow_run_name="apply the plan of {plan.flow} {plan.draft.of}")
def apply(plan: Plan) -> Any:
    """Carry out a plan. Returns what the flow that it is of does.

    Args:
        plan: what `tyrell plan` has made
    """
    check_fits_here(plan)
    planned = find_flows()[plan.flow]
    parameters = _parameters(planned, plan)
    check_unmoved(plan, draft_of(plan.flow, parameters))
    publish_plan(plan)
    with one_heartbeat():
        return planned(**parameters)


def _parameters(planned: Flow[..., Any], plan: Plan) -> dict[str, Any]:
    """Those of the plan as the flow takes them. Raises UsageError when somebody has changed them in the file."""
    try:
        return all_parameters(planned.fn, **planned.validate_parameters(plan.parameters))
    except (ParameterTypeError, SignatureMismatchError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"the plan's parameters are none of {plan.flow}: {reason}; plan again") from None


def find_flows() -> dict[str, Flow[..., Any]]:
    """Every flow there is by its name."""
    modules = [import_module(f"{flows.__name__}.{each.name}") for each in iter_modules(flows.__path__)]
    return {
        each.name: each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, Flow) and each.fn.__module__ == module.__name__
    }
