"""The fault matrix knows every step of the flows."""

from __future__ import annotations

import inspect
import string
from collections import Counter
from typing import Any

import botocore.session
import pytest

from tests.faults.steps import find_tasks, registered, told
from tyrell.local.faults.services import services


def test_every_step_says_once_what_it_writes() -> None:
    assert sorted(told().names) == registered()


@pytest.mark.parametrize("service", sorted({call.split(".")[0] for calls in told().writes.values() for call in calls}))
def test_the_calls_of_steps_are_ones_that_faults_can_be_bound_to(service: str) -> None:
    calls = {call.split(".")[1] for calls in told().writes.values() for call in calls if call.startswith(service)}
    model: Any = botocore.session.get_session().get_service_model(service)
    assert services()[service].xml == "rest" or calls <= set(model.operation_names)


def test_a_run_of_a_step_is_called_by_what_the_step_is_given() -> None:
    for task in find_tasks():
        name = str(task.task_run_name)
        fields = {str(field).split(".")[0] for _, field, _, _ in string.Formatter().parse(name) if field}
        assert fields <= set(inspect.signature(task.fn).parameters), f"{task.fn.__name__} is called {name!r}"


def test_no_two_steps_are_called_the_same() -> None:
    assert [
        name for name, count in Counter(str(task.task_run_name) for task in find_tasks()).items() if count > 1
    ] == []
