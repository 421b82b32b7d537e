"""Every flow has a deployment, and its form says what each parameter is. No server is needed for these."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from prefect import Flow
from prefect.utilities.schema_tools.validation import ValidationError, validate

import flows
from tasks.errors import UsageError
from tyrell.deployments import find_entries, form_of, load_flow
from tyrell.registered_form import check_fits

CHOSEN = {"TYRELL_STACK": "prod", "TYRELL_METRICS": "prod-metrics", "TYRELL_WORK_POOL": "tyrell"}


def entrypoints() -> set[str]:
    """Every flow there is, as `flows/file.py:function`."""
    modules = [import_module(f"flows.{module.name}") for module in iter_modules(flows.__path__)]
    return {
        f"flows/{module.__name__.removeprefix('flows.')}.py:{name}"
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, Flow) and value.fn.__module__ == module.__name__
    }


ENTRYPOINTS = sorted(entrypoints())


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The deployments of `prod`."""
    for name, value in CHOSEN.items():
        monkeypatch.setenv(name, value)
    return find_entries()


@pytest.fixture(scope="module")
def upgrade() -> dict[str, Any]:
    """The form of the upgrade flow."""
    return form_of(load_flow("flows/upgrade.py:upgrade"))


def test_every_flow_has_a_deployment_and_no_other_is_named(entries: list[dict[str, Any]]) -> None:
    assert {entry["entrypoint"] for entry in entries} == set(ENTRYPOINTS)


def test_no_two_deployments_have_the_same_name(entries: list[dict[str, Any]]) -> None:
    names = [(entry["entrypoint"], entry["name"]) for entry in entries]
    assert len(set(names)) == len(names)


def test_what_is_filled_in_is_what_the_flow_takes(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        form, given = form_of(load_flow(entry["entrypoint"])), entry.get("parameters", {})
        assert given.keys() <= form["properties"].keys(), entry["entrypoint"]
        validate(given, form, raise_on_error=True, ignore_required=True)


def test_a_deployment_of_a_stack_has_its_name_its_tag_and_its_parameter(entries: list[dict[str, Any]]) -> None:
    named = {entry["entrypoint"]: entry for entry in entries if entry["name"] == "prod"}
    assert named.keys() >= {"flows/upgrade.py:upgrade", "flows/release.py:release", "flows/tear_down.py:tear_down"}
    for entry in named.values():
        assert "stack:prod" in entry["tags"]
        assert entry["parameters"]["stack"] in ("prod", {"name": "prod", "network": "prod-network"})


def fields(form: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parameters of a form, and the fields of what lies inside them."""
    yield from form["properties"].items()
    for noun in form.get("definitions", {}).values():
        yield from noun.get("properties", {}).items()


SHOWN_BY_A_RUN = {"flows/update_stack.py:update_stack"}
"""`agreed` is what an earlier run has shown; nobody fills it in field by field."""


@pytest.mark.parametrize("entrypoint", sorted(set(ENTRYPOINTS) - SHOWN_BY_A_RUN))
def test_every_field_says_what_it_is_and_has_its_place(entrypoint: str) -> None:
    for name, field in fields(form_of(load_flow(entrypoint))):
        assert field.get("description"), name
        assert isinstance(field.get("position"), int), name


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"role": "ruoter"}, r"'role'.*'ruoter' is not one of \['core-services', .*'router'"),
        ({"role": "router", "stack": "Prod"}, "'stack'.*'Prod' does not match"),
        ({"role": "router", "version": "1.4.2"}, "'version'.*'1.4.2' does not match"),
        ({"role": "router", "wait": "10 minutes"}, "'wait'.*'10 minutes' does not match"),
        ({"role": "router", "plan": {"strategy": "all"}}, "'plan.strategy'.*'all' is not one of"),
        ({}, "'role' is a required property"),
    ],
)
def test_a_form_refuses_what_cannot_be(upgrade: dict[str, Any], parameters: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        validate({"stack": "prod", **parameters}, upgrade, raise_on_error=True)


def test_a_form_takes_what_the_command_takes(upgrade: dict[str, Any]) -> None:
    parameters = {"stack": "prod", "role": "router", "to": "", "version": "142", "wait": "PT10M", "plan": None}
    validate(parameters, upgrade, raise_on_error=True)


def test_a_run_from_an_older_form_is_told_what_to_do(upgrade: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as older:
        check_fits("upgrade/prod", {"stack": "prod", "role": "router", "release": {"id": "142"}}, upgrade)
    assert str(older.value) == (
        "deployment upgrade/prod is stale and was not run: its flow takes no parameter release any more;"
        " `tyrell deployments status` shows it, `tyrell deployments apply` registers it anew"
    )
    with pytest.raises(UsageError, match=r"was not run: .*'role' is a required property"):
        check_fits("upgrade/prod", {"stack": "prod"}, upgrade)
