"""Tests run side by side, in several workers. Those of one folder share addresses, so they stay together and in order.

Each file of `tests/flows` starts its own embedded cloud when another worker has one: see `tests.flows.embedded`.
"""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put every test into the group of its folder, or of its file."""
    for item in items:
        folder = item.path.parent
        group = item.path if folder.name == "flows" else folder
        item.add_marker(pytest.mark.xdist_group(str(group)))
