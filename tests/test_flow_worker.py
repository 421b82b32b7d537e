"""What a flow worker's machine makes of its settings, and what it says when it cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tasks.clients import secretsmanager
from tasks.errors import NotFound, UsageError
from tasks.secrets import check_secrets
from tests.link.aws_server import Aws
from tests.tasks.own_aws import own_aws
from tyrell.flow_roles import KEYS, as_profiles, parse_roles
from tyrell.flow_worker import SETTINGS, find_settings

MACHINE = dict.fromkeys(SETTINGS, "-") | {"ZETTA_STACK": "demo", "COREOS_PRIVATE_IPV4": "10.0.1.2", "PORT": "4201"}
ROLE = "arn:aws:iam::123456789012:role/tyrell/demo/flow-worker/demo-flow-worker-one-{}"
ROLES = f"status={ROLE.format('StatusFlowRole')},scale={ROLE.format('ScaleFlowRole')}"


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """An AWS with nothing in it, to which this process is led."""
    with own_aws() as aws:
        yield aws


@pytest.fixture
def secret(aws: Aws) -> Iterator[str]:
    """The name of the machine's secret, which is not there before and after."""
    name = "tyrell/demo/prefect"
    yield name
    secretsmanager().delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_a_worker_has_what_its_secret_says_and_its_health_where_the_role_says(secret: str) -> None:
    kept = {"PREFECT_API_URL": "https://prefect.example/api", "PREFECT_API_AUTH_STRING": "admin:pass"}
    secretsmanager().create_secret(Name=secret, SecretString=json.dumps(kept))
    settings = find_settings(MACHINE)
    assert kept.items() <= settings.items()
    assert settings["PREFECT_WORKER_WEBSERVER_HOST"] == "10.0.1.2"
    assert settings["PREFECT_WORKER_WEBSERVER_PORT"] == "4201"
    assert settings["TYRELL_WORK_POOL"] == "tyrell"


def test_a_secret_may_name_another_work_pool(secret: str) -> None:
    kept = {"PREFECT_API_URL": "https://prefect.example/api", "TYRELL_WORK_POOL": "prod"}
    secretsmanager().create_secret(Name=secret, SecretString=json.dumps(kept))
    assert find_settings(MACHINE)["TYRELL_WORK_POOL"] == "prod"


def test_without_the_servers_address_a_worker_does_not_begin(secret: str) -> None:
    secretsmanager().create_secret(Name=secret, SecretString='{"PREFECT_API_AUTH_STRING": "admin:pass"}')
    with pytest.raises(UsageError, match="secret tyrell/demo/prefect holds no PREFECT_API_URL") as refused:
        find_settings(MACHINE)
    assert "admin" not in str(refused.value)


def test_on_anything_but_such_a_machine_it_is_said_what_is_missing() -> None:
    with pytest.raises(UsageError, match="INSTANCE_ID, FLOW_ROLES not set; machines of the role flow-worker have that"):
        find_settings({name: "-" for name in SETTINGS if name not in {"INSTANCE_ID", "FLOW_ROLES"}})


def test_without_a_secret_it_is_said_what_makes_one(aws: Aws) -> None:
    made_by = r"`aws secretsmanager create-secret --name tyrell/demo/prefect .*` makes it"
    with pytest.raises(NotFound, match=f"secret tyrell/demo/prefect does not exist; {made_by}"):
        find_settings(MACHINE)


def test_a_role_is_not_deployed_without_the_secrets_it_names(secret: str) -> None:
    wanted = {"prefect": "write tyrell/STACK/prefect"}
    with pytest.raises(NotFound, match="secret tyrell/demo/prefect does not exist; write tyrell/demo/prefect"):
        check_secrets("demo", wanted)
    secretsmanager().create_secret(Name=secret, SecretString="whatever it is")
    check_secrets("demo", wanted)


def test_a_profile_is_the_role_of_its_flow_taken_with_what_the_machine_is(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(as_profiles(parse_roles(ROLES), "i-0abc"))
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)
    for flow in ("status", "scale"):
        monkeypatch.setenv("AWS_PROFILE", flow)
        arn = boto3.session.Session().client("sts").get_caller_identity()["Arn"]
        assert arn == f"arn:aws:sts::123456789012:assumed-role/demo-flow-worker-one-{flow.title()}FlowRole/i-0abc"
