"""An AWS of the tests' own, to which this process is led."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tasks import clients
from tests.link.aws_server import REGION, Aws, aws_server


@contextmanager
def own_aws() -> Iterator[Aws]:
    """While the block runs, this process and those it starts talk to an AWS with nothing in it."""
    with aws_server() as aws, pytest.MonkeyPatch.context() as patched:
        for name, value in (aws.variables | {"AWS_DEFAULT_REGION": REGION}).items():
            patched.setenv(name, value)
        clients.forget()
        yield aws
    clients.forget()
