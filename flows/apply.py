"""The apply flow: exactly what was planned, or nothing when the world is not as it was then."""

import json
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from prefect import Flow, flow
from prefect.exceptions import ParameterTypeError, SignatureMismatchError

import flows
from tasks.errors import UsageError
from tasks.planning.making import all_parameters, parse_plan
from tasks.planning.plan import Plan, check_unmoved
from tasks.planning.planners import draft_of
from tasks.planning.publishing import publish_plan
from tasks.run_list import name_run
from tasks.steps import one_heartbeat


@flow(name="apply", flow_run_name="apply a plan")
def apply(plan: dict[str, Any]) -> Any:
    """Carry out a plan. Returns what the flow that it is of does.

    Args:
        plan: what `tyrell plan COMMAND --json` has printed
    """
    made = parse_plan(json.dumps(plan), "what was given")
    name_run(f"apply the plan of {made.flow} {made.draft.of}")
    planned = find_flows()[made.flow]
    parameters = _parameters(planned, made)
    check_unmoved(made, draft_of(made.flow, parameters))
    publish_plan(made)
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
