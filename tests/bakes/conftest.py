"""One cloud for all bakes: they take their time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bakes.bakery import Bakery, bakery


@pytest.fixture(scope="package")
def cloud() -> Iterator[Bakery]:
    """A cloud to bake on."""
    with bakery() as found:
        yield found
