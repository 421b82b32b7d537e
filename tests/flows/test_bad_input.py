"""Bad input gets one sentence and an exit code, and nothing is half-made. No stack is needed for these."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tasks.errors import UsageError
from tests.flows.embedded import Tyrell
from tyrell.local.control import check_machine, free_port
from tyrell.local.settings import Settings

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def tyrell(tmp_path_factory: pytest.TempPathFactory) -> Tyrell:
    """The command where no cloud is up and nobody said who he is on AWS."""
    tyrell = Tyrell(tmp_path_factory.mktemp("home"))
    tyrell.environment_variables |= {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }
    return tyrell


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        ("status --cloud local", 1, "the embedded cloud is not up; start it with `tyrell local up`"),
        ("local status", 1, "the embedded cloud is not up; start it with `tyrell local up`"),
        ("local logs i-1", 1, "the embedded cloud is not up; start it with `tyrell local up`"),
        ("status", 1, "no AWS region chosen; set AWS_DEFAULT_REGION, or `tyrell local up` to try without AWS"),
        ("local up --network 10.0.0.0/16", 2, "10.0.0.0/16 is not a part of 127.0.0.0/8"),
        ("local up --network 127.20.0.0/28", 2, "127.20.0.0/28 is too small"),
    ],
)
def test_a_command_that_cannot_work_says_why(tyrell: Tyrell, command: str, code: int, sentence: str) -> None:
    done = tyrell.run(*command.split())
    assert done.returncode == code
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_credentials_nothing_is_tried(tyrell: Tyrell) -> None:
    tyrell.environment_variables["AWS_DEFAULT_REGION"] = "us-east-1"
    done = tyrell.run("up", "--cloud", "aws")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no AWS credentials found; run `aws configure`" in done.stderr


def test_a_port_that_somebody_has_on_all_addresses_is_named(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} is taken on all addresses by .*; stop it first"):
            check_machine(Settings(home=tmp_path, port=free_port(0)), balancer_port=port)


def test_the_api_port_that_is_taken_is_named(tyrell: Tyrell) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        done = tyrell.run("local", "up", "--no-prefect", "--port", port)
    assert done.returncode == 2
    assert f"port {port} of 127.0.0.1 is taken; choose another with --port" in done.stderr


def test_stopping_what_is_not_up_is_no_error(tyrell: Tyrell) -> None:
    done = tyrell.run("local", "down")
    assert (done.returncode, done.stdout.strip()) == (0, "the embedded cloud was not up")
