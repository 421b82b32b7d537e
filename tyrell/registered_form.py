"""What a worker does before a run: it holds the run's parameters against the flow that is in its checkout."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.states import Failed
from prefect.utilities.schema_tools.validation import ValidationError, validate

from tasks.errors import UsageError
from tyrell.deployments import form_of, load_flow

MEND = "`tyrell deployments status` shows it, `tyrell deployments apply` registers it anew"

logger = logging.getLogger("prefect.deployments")


def check_parameters() -> None:
    """A pull step of `prefect.yaml`: the form that somebody filled in may be older than the code that is to run.

    Says so when it is. When what was filled in does not fit the code any more the run fails with that sentence, and
    UsageError is raised.
    """
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(runtime.flow_run.id))
        deployment = client.read_deployment(str(run.deployment_id))
        flow = load_flow(str(deployment.entrypoint))
        name, form = f"{flow.name}/{deployment.name}", form_of(flow)
        if form == deployment.parameter_openapi_schema:
            return
        try:
            check_fits(name, run.parameters, form)
        except UsageError as error:  # of a step that fails, the run itself would only say that its process has ended
            client.set_flow_run_state(run.id, Failed(message=str(error)), force=True)
            raise
    logger.warning("deployment %s is stale, its parameters still fit: %s", name, MEND)


def check_fits(name: str, parameters: dict[str, Any], form: dict[str, Any]) -> None:
    """Raises UsageError when parameters cannot be those of a flow with this form."""
    unknown = sorted(parameters.keys() - form["properties"].keys())
    problem = f"its flow takes no parameter {unknown[0]} any more" if unknown else ""
    try:
        validate(parameters, form, raise_on_error=True)
    except ValidationError as error:
        problem = problem or str(error)
    if problem:
        raise UsageError(f"deployment {name} is stale and was not run: {problem}; {MEND}")
