"""Tests run side by side, in several workers; those of one folder share addresses, so they stay in one, in order."""

from __future__ import annotations

import signal

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {"tests/images": "tests/bakes"}
"""Both build the Docker images of the roles, and expect that nobody else does at the same time."""


class ByFolder(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Keeps the tests of a folder together."""

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.split("::", maxsplit=1)[0].rpartition("/")[0]
        return TOGETHER.get(folder, folder)


def pytest_configure() -> None:
    """Commands that tests start can be stopped by Ctrl-C, also where the tests run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    """What `--dist` would choose. (xdist's own `loadgroup` does nothing with pytest 9.2.)"""
    return ByFolder(config, log)
