"""Logging in to Amazon ECR: the token is AWS's, and nobody has to write it down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.registries import ecr_login
from tests.tasks.own_aws import own_aws

pytestmark = pytest.mark.cloud


@pytest.fixture
def aws() -> Iterator[None]:
    """This process's AWS, with nothing in it."""
    with own_aws():
        yield


@pytest.mark.usefixtures("aws")
def test_ecr_gives_name_and_password() -> None:
    login = ecr_login()
    assert login["username"] == "AWS"
    assert login["password"].endswith("-auth-token")
