"""The work pools: their templates are what Prefect and its workers take, and nothing in them is secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import prefect
import pytest
from jsonschema import Draft202012Validator
from prefect.client.orchestration import get_client
from prefect.variables import Variable
from prefect.workers.process import ProcessJobConfiguration
from prefect_aws.workers.ecs_worker import ECSJobConfiguration, ECSWorker

from tasks.errors import UsageError
from tests.several_machines.servers import Servers
from tyrell.work_pools import create_pool, load_template, pool_kinds

KNOWN = Path(prefect.__file__).parent / "server/api/collections_data/views/aggregate-worker-metadata.json"
PLACEHOLDER = re.compile(r"{{ ([a-z_]+) }}")
ACCOUNT: dict[str, Any] = {
    "tyrell_cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/tyrell",
    "tyrell_vpc": "vpc-1",
    "tyrell_subnets": ["subnet-1", "subnet-2"],
    "tyrell_security_groups": ["sg-1"],
    "tyrell_execution_role": "arn:aws:iam::123456789012:role/execution",
    "tyrell_auth_secret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:prefect-AbCdEf",
    "tyrell_image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/tyrell:1",
    "tyrell_task_role": "arn:aws:iam::123456789012:role/flow",
}


def known_template(kind: str) -> dict[str, Any]:
    """Prefect's own template of the kind: of the installed worker, else of the list that its server has."""
    if kind == "ecs":
        return ECSWorker.get_default_base_job_template()
    types = {name: each for package in json.loads(KNOWN.read_text()).values() for name, each in package.items()}
    template: dict[str, Any] = types[kind]["default_base_job_configuration"]
    return template


@pytest.mark.parametrize("kind", pool_kinds())
def test_a_template_configures_only_what_the_worker_knows(kind: str) -> None:
    ours, known = load_template(kind), known_template(kind)
    assert ours["job_configuration"].keys() <= known["job_configuration"].keys()
    assert ours["variables"]["properties"].keys() <= known["variables"]["properties"].keys()


@pytest.mark.parametrize("kind", pool_kinds())
def test_every_variable_is_used_and_every_placeholder_is_a_variable(kind: str) -> None:
    template = load_template(kind)
    used = set(PLACEHOLDER.findall(json.dumps(template["job_configuration"])))
    assert used | {"env"} == template["variables"]["properties"].keys()  # `env` is merged into the pool's own


@pytest.mark.parametrize("kind", pool_kinds())
def test_every_default_is_valid_where_it_stands(kind: str) -> None:
    schema = load_template(kind)["variables"]
    Draft202012Validator.check_schema(schema)
    defaults = {name: each["default"] for name, each in schema["properties"].items() if "default" in each}
    assert defaults
    Draft202012Validator(schema).validate(defaults)


@pytest.mark.flow
@pytest.mark.parametrize("kind", pool_kinds())
def test_the_server_takes_each_template_and_keeps_it(servers: Servers, kind: str) -> None:
    name = f"pool-{kind}"
    assert create_pool(name, kind) == (f"created work pool {name} of kind {kind}",)
    with get_client(sync_client=True) as client:
        assert client.read_work_pool(name).base_job_template == load_template(kind)
    assert create_pool(name, kind) == ()


@pytest.mark.flow
def test_a_pool_of_another_kind_is_refused(servers: Servers) -> None:
    create_pool("taken", "process")
    with pytest.raises(UsageError, match="work pool taken is of kind process, not ecs"):
        create_pool("taken", "ecs")
    with pytest.raises(UsageError, match="no kind of work pool 'lambda'; there are ecs, kubernetes, process"):
        create_pool("other", "lambda")


@pytest.mark.flow
async def test_a_deployments_environment_comes_on_top_of_the_pools(servers: Servers) -> None:
    values = {"env": {"TYRELL_STACK": "prod"}}
    job: Any = await ProcessJobConfiguration.from_template_and_values(load_template("process"), values)
    assert job.env == {
        "PREFECT_LOGGING_EXTRA_LOGGERS": "tasks",
        "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
        "TYRELL_STACK": "prod",
    }


@pytest.mark.flow
async def test_a_task_on_ecs_has_what_prefects_variables_say_of_the_account(servers: Servers) -> None:
    for name, value in ACCOUNT.items():
        await Variable.aset(name, value, overwrite=True)
    job: Any = await ECSJobConfiguration.from_template_and_values(load_template("ecs"), {"memory": 4096})
    assert job.cluster == ACCOUNT["tyrell_cluster"]
    assert job.network_configuration["subnets"] == ACCOUNT["tyrell_subnets"]
    assert job.prefect_api_auth_string_secret_arn == ACCOUNT["tyrell_auth_secret"]
    overrides = job.task_run_request["overrides"]
    assert (overrides["taskRoleArn"], overrides["memory"]) == (ACCOUNT["tyrell_task_role"], 4096)
    assert job.task_definition["containerDefinitions"] == [{"name": "tyrell", "image": ACCOUNT["tyrell_image"]}]
