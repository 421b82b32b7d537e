"""Which version a rollback leaves."""

from __future__ import annotations

import pytest

from tasks.errors import NotFound
from tasks.roles import load_role
from tasks.succession import left_by_rollback

ROUTER = load_role("router")


def test_a_rollback_to_the_version_that_has_everything_leaves_none() -> None:
    assert left_by_rollback("blue", ROUTER, (), {"blue": 100}) is None


def test_a_rollback_leaves_the_version_that_has_the_traffic() -> None:
    assert left_by_rollback("blue", ROUTER, (), {"green": 100}) == "green"


def test_nothing_can_be_rolled_back_where_nothing_is_live() -> None:
    with pytest.raises(NotFound, match="router"):
        left_by_rollback("blue", ROUTER, (), {})
