"""Secrets are made, changed and removed as often as one likes, and only when that changes something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.clients import secretsmanager
from tasks.errors import UsageError
from tasks.secrets import delete_secret, find_secret, put_secret
from tests.tasks.own_aws import own_aws


@pytest.fixture(autouse=True, scope="module")
def aws() -> Iterator[None]:
    """This process is led to an AWS with no secrets."""
    with own_aws():
        yield


def versions(name: str) -> int:
    """How often the secret was written."""
    return len(secretsmanager().list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"])


def test_a_secret_is_what_was_put_there_last() -> None:
    assert find_secret("tyrell/a") is None
    assert put_secret("tyrell/a", {"password": "first"}) == ("created secret tyrell/a",)
    assert put_secret("tyrell/a", {"password": "second"}) == ("updated secret tyrell/a",)
    assert find_secret("tyrell/a") == {"password": "second"}


def test_equal_values_are_not_written_again() -> None:
    put_secret("tyrell/b", {"url": "http://10.0.0.9", "password": "p"})
    assert put_secret("tyrell/b", {"password": "p", "url": "http://10.0.0.9"}) == ()
    assert versions("tyrell/b") == 1


def test_a_deleted_secret_is_gone_and_can_be_made_again() -> None:
    put_secret("tyrell/c", {"password": "p"})
    assert delete_secret("tyrell/c") == ("deleted secret tyrell/c",)
    assert delete_secret("tyrell/c") == ()
    assert put_secret("tyrell/c", {"password": "q"}) == ("created secret tyrell/c",)


@pytest.mark.parametrize("text", ["hunter2", '["hunter2"]', '{"hunter": 2}'])
def test_a_secret_of_another_form_is_refused_without_showing_it(text: str) -> None:
    name = f"tyrell/{abs(hash(text))}"
    secretsmanager().create_secret(Name=name, SecretString=text)
    with pytest.raises(UsageError, match=f"secret {name} must be a JSON object of texts") as refused:
        find_secret(name)
    assert "hunter" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
