"""By which tags a run is found in Prefect's list of runs."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.run_list import tags_of


@pytest.mark.parametrize(
    ("parameters", "tags"),
    [
        ({"stack": "prod", "role": "router", "to": "two"}, {"stack:prod", "role:router"}),
        ({"stack": "prod", "roles": ["router", "target"]}, {"stack:prod", "role:router", "role:target"}),
        ({"stack": {"name": "prod", "network": "shared"}, "metrics": ""}, {"stack:prod"}),
        ({"metrics": {"name": "prod-metrics"}}, {"metrics:prod-metrics"}),
        ({"roles": [], "kind": "link"}, set()),
    ],
)
def test_a_run_has_the_tags_of_what_it_is_about(parameters: dict[str, Any], tags: set[str]) -> None:
    assert tags_of(parameters) == tags
