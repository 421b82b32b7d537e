"""A role on AWS for each flow: a machine of the role flow-worker may take those of its version, and do little itself.

A run takes the role of its flow before it begins. That keeps a flow to what it needs; it does not keep code apart that
was made to harm: whatever runs on the machine can take each of its roles.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.logging.loggers import flow_run_logger
from prefect.states import Failed

from tasks.clients import forget, sts
from tasks.errors import NotFound

ROLES = "FLOW_ROLES"
"""The environment variable with the ARN of each flow's role, as `status=arn:aws:iam::...,upgrade=arn:aws:iam::...`."""

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Boto3 takes these before any profile: https://docs.aws.amazon.com/boto3/latest/guide/credentials.html."""


def parse_roles(text: str) -> dict[str, str]:
    """The ARN of each flow's role, by the flow's name, from the value of the variable."""
    return dict(each.split("=", 1) for each in text.split(",") if each)


def as_profiles(roles: Mapping[str, str], session: str) -> str:
    """The roles as profiles of an AWS configuration file, each taken with what the machine is; `session` names them.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-role.html#cli-configure-role-metadata
    """
    how = f"credential_source = Ec2InstanceMetadata\nrole_session_name = {session}\n"
    return "\n".join(f"[profile {flow}]\nrole_arn = {arn}\n{how}" for flow, arn in roles.items())


def take_role() -> None:
    """A pull step of `prefect.yaml`: from here on the run is on AWS what its flow's role may be.

    Where the machine has no roles for flows everything stays as it is. A run of a flow without one fails with a
    sentence that says so, and NotFound is raised.
    """
    if ROLES not in os.environ:
        return
    flow = str(runtime.flow_run.flow_name)
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(runtime.flow_run.id))
        if flow not in parse_roles(os.environ[ROLES]):
            error = no_role(flow)  # of a step that fails, the run itself would only say that its process has ended
            client.set_flow_run_state(run.id, Failed(message=str(error)), force=True)
            raise error
    for name in KEYS:
        os.environ.pop(name, None)
    os.environ["AWS_PROFILE"] = flow
    forget()
    flow_run_logger(run).info("on AWS this run is %s", sts().get_caller_identity()["Arn"])


def no_role(flow: str) -> NotFound:
    """Flow workers are not for this flow."""
    instead = "it runs where a Docker Engine, Packer or a person's own access is: `tyrell run --help`"
    return NotFound(f"a role of flow {flow} on flow workers (deployments/policies/flows.toml)", instead)
