"""Tests run side by side, in several workers. Those of one folder share addresses, so they stay together and in order.

Each file of `tests/flows` may be in another worker, which then has an embedded cloud of its own: they take longest.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


class ByFolder(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Keeps the tests of a folder together."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        folder = file.rpartition("/")[0]
        return file if folder == "tests/flows" else folder


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    """What `--dist` would choose. (xdist's own `loadgroup` does nothing with pytest 9.2.)"""
    return ByFolder(config, log)
