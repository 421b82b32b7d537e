"""The fault matrix knows every step of the flows."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from tests.faults.steps import registered, told
from tyrell.local.faults.services import services


def test_every_step_says_once_what_it_writes() -> None:
    assert sorted(told().names) == registered()


@pytest.mark.parametrize("service", sorted({call.split(".")[0] for calls in told().writes.values() for call in calls}))
def test_the_calls_of_steps_are_ones_that_faults_can_be_bound_to(service: str) -> None:
    calls = {call.split(".")[1] for calls in told().writes.values() for call in calls if call.startswith(service)}
    model: Any = botocore.session.get_session().get_service_model(service)
    assert services()[service].xml == "rest" or calls <= set(model.operation_names)
