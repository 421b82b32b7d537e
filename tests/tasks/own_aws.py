"""An AWS of the tests' own, to which this process is led."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tasks import clients
from tests.link.aws_server import REGION, Aws, aws_server

Server = Callable[[], AbstractContextManager[Aws]]


@contextmanager
def own_aws(server: Server = aws_server) -> Iterator[Aws]:
    """While the block runs, this process and those it starts talk to an AWS with nothing in it."""
    with server() as aws, pytest.MonkeyPatch.context() as patched:
        for name, value in (aws.variables | {"AWS_DEFAULT_REGION": REGION}).items():
            patched.setenv(name, value)
        clients.forget()
        yield aws
    clients.forget()
