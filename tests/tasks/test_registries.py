"""Logging in to Amazon ECR: the token is AWS's, and nobody has to write it down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks import clients
from tasks.registries import ecr_login
from tests.link.aws_server import REGION, aws_server

pytestmark = pytest.mark.cloud


@pytest.fixture
def aws() -> Iterator[None]:
    """This process's AWS, with nothing in it."""
    with aws_server() as server, pytest.MonkeyPatch.context() as patched:
        for name, value in (server.variables | {"AWS_DEFAULT_REGION": REGION}).items():
            patched.setenv(name, value)
        clients.forget()
        yield
    clients.forget()


@pytest.mark.usefixtures("aws")
def test_ecr_gives_name_and_password() -> None:
    login = ecr_login()
    assert login["username"] == "AWS"
    assert login["password"].endswith("-auth-token")
