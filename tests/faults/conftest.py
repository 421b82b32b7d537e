"""One stack for all tests of this folder; each leaves it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.cells import Stage
from tests.faults.stage import stage


@pytest.fixture(scope="package")
def theatre() -> Iterator[Stage]:
    """The stack, on a cloud of its own."""
    with stage() as made:
        yield made
