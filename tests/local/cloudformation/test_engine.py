"""The engine's own life."""

from __future__ import annotations

from tests.local.cloudformation.stacks import chain, unique, wait_until_settled
from tyrell.local.cloudformation.engine import CloudFormation
from tyrell.local.cloudformation.requests import read_revision


def test_a_stopped_engine_ends_what_runs_and_rolls_nothing_back(engine: CloudFormation) -> None:
    other = CloudFormation(engine.settings)  # works through the same API, keeps records of its own
    other.start()
    stack = other.new_stack(unique())
    other.create(stack, read_revision({"TemplateBody": chain(100)}, other.cloud.read_ssm))
    other.stop()
    assert stack.status == "CREATE_FAILED"
    assert len(stack.resources) < 100
    other.start()
    other.delete(stack, ())
    wait_until_settled(stack)
    assert stack.status == "DELETE_COMPLETE"
