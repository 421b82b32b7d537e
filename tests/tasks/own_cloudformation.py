"""An AWS of the tests' own whose CloudFormation is the embedded cloud's, to which this process is led."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks import clients
from tests.local.cloudformation.stacks import Stacks, running_engine
from tyrell.local.faults.switches import Switches


@contextmanager
def own_cloudformation(home: Path, faults: Switches | None = None) -> Iterator[Stacks]:
    """While the block runs, this process talks to it; `Stacks` sees it from the other side, `faults` go wrong."""
    with running_engine(home, faults) as engine, pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", engine.settings.endpoint)
        patched.setenv("AWS_DEFAULT_REGION", engine.settings.region)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patched.setenv(name, "test")
        clients.forget()
        yield Stacks(engine)
    clients.forget()
