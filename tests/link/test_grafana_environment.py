"""grafana-environment prints what is in the secrets, as soon as they are there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from link.grafana_environment import await_environment
from link.shared.environment import Environment
from tests.link.aws_server import REGION, Aws, aws_server

pytestmark = pytest.mark.cloud

SETTINGS = {"METRICS": "lab", "COREOS_PRIVATE_IPV4": "127.48.1.4", "AWS_REGION": REGION}


@pytest.fixture
def aws() -> Iterator[Aws]:
    """A cloud without secrets."""
    with aws_server() as server, pytest.MonkeyPatch.context() as patched:
        for name, value in server.variables.items():
            patched.setenv(name, value)
        yield server


def make_secret(aws: Aws, name: str, **values: str) -> None:
    aws.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(values))


def test_it_waits_for_the_secrets_and_prints_what_is_in_them(aws: Aws) -> None:
    command = [sys.executable, "-m", "link.grafana_environment"]
    started = subprocess.Popen(
        command, env={**os.environ, **SETTINGS}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with started as process:
        assert process.stderr
        assert "secret tyrell/lab/grafana is not there yet" in process.stderr.readline()
        make_secret(aws, "tyrell/lab/reader", username="reader", password="sesame")
        make_secret(aws, "tyrell/lab/grafana", username="admin", password="open")
        output, _ = process.communicate(timeout=30)
    assert output.splitlines() == [
        "GF_SECURITY_ADMIN_PASSWORD=open",
        "INFLUX_URL=http://127.48.1.4:8086",
        "INFLUX_USERNAME=reader",
        "INFLUX_PASSWORD=sesame",
    ]


def test_a_secret_that_does_not_come_is_named_with_the_reason(aws: Aws) -> None:
    make_secret(aws, "tyrell/lab/grafana", password="open")
    with pytest.raises(TimeoutError, match=r"secret tyrell/lab/reader cannot be had: .*ResourceNotFoundException"):
        await_environment(Environment(SETTINGS), timeout=0)
