"""The way into InfluxDB, as Secrets Manager (moto) keeps it."""

from __future__ import annotations

import itertools
import json

import pytest

from link.shared.access import Access, Secret, SecretMissing, SecretUnusable
from link.shared.environment import Environment
from tests.link.aws_server import REGION, Aws
from tests.link.metrics_agents import keep_secret

STACKS = (f"lab{number}" for number in itertools.count())
GOOD = {"url": "http://10.0.0.9:8086", "database": "telegraf", "username": "u", "password": "p4ss"}


@pytest.fixture
def secret(data_aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Secret:
    """The secret of a stack, which is not there yet."""
    for name, value in data_aws.variables.items():
        monkeypatch.setenv(name, value)
    return Secret(Environment({"ZETTA_STACK": next(STACKS), "AWS_REGION": REGION}), "metrics")


def test_a_secret_is_found_as_soon_as_it_is_there_and_does_not_show_its_password(data_aws: Aws, secret: Secret) -> None:
    with pytest.raises(SecretMissing, match=r"^there is no secret tyrell/lab\d+/metrics$"):
        secret.read()
    keep_secret(data_aws.client("secretsmanager"), "http://10.0.0.9:8086/", secret.name, user=("u", "p4ss"))
    assert secret.read() == Access(**GOOD)
    assert "p4ss" not in repr(secret.read())


def test_a_secret_may_say_where_logs_go(data_aws: Aws, secret: Secret) -> None:
    text = json.dumps(GOOD | {"loki": "http://10.0.0.9:3100/"})
    data_aws.client("secretsmanager").create_secret(Name=secret.name, SecretString=text)
    assert secret.read() == Access(**GOOD, loki="http://10.0.0.9:3100")


def test_a_secret_that_is_about_to_be_deleted_is_none(data_aws: Aws, secret: Secret) -> None:
    keep_secret(data_aws.client("secretsmanager"), "http://10.0.0.9:8086", secret.name)
    data_aws.client("secretsmanager").delete_secret(SecretId=secret.name)
    with pytest.raises(SecretMissing):
        secret.read()


@pytest.mark.parametrize(
    "text",
    [
        "p4ss",
        '"p4ss"',
        json.dumps({"password": "p4ss"}),
        *(json.dumps(GOOD | {"url": url}) for url in ("", "10.0.0.9:8086", "ftp://10.0.0.9", "http://[", "http://:1")),
        json.dumps(GOOD | {"loki": "10.0.0.9:3100"}),
    ],
)
def test_a_secret_that_holds_something_else_is_named_and_nothing_of_it_is_told(
    data_aws: Aws, secret: Secret, text: str
) -> None:
    data_aws.client("secretsmanager").create_secret(Name=secret.name, SecretString=text)
    with pytest.raises(SecretUnusable, match=r"^secret tyrell/lab\d+/metrics does not hold what it should") as refused:
        secret.read()
    assert "p4ss" not in str(refused.value)


def test_a_secret_that_can_not_be_asked_for_is_not_one_that_is_missing(
    secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.31.0.2:9")
    with pytest.raises(SecretUnusable, match=r"^secret tyrell/lab\d+/metrics can not be read: ") as refused:
        secret.read()
    assert not isinstance(refused.value, SecretMissing)
