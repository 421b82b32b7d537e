"""The table of events holds: what is told is in it, what is in it is told, and the documentation is made of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.artifact_keys import What, artifact_key
from tasks.events import Event, related, resource

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "events.md").read_text()


def told() -> Iterator[tuple[str, frozenset[str]]]:
    """The event and the names of the facts of every call of `tell_event`, as the code has them."""
    for file in sorted((*(ROOT / "tasks").rglob("*.py"), *(ROOT / "flows").rglob("*.py"))):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tell_event":
                assert isinstance(node.args[0], ast.Attribute), f"{file.name}:{node.lineno} tells no event by its name"
                yield node.args[0].attr, frozenset(keyword.arg or "**" for keyword in node.keywords)


def test_every_event_is_told_somewhere() -> None:
    assert {name for name, _ in told()} == set(Event.__members__)


def test_an_event_is_told_with_all_its_facts_and_no_others() -> None:
    assert [(name, facts) for name, facts in told() if facts != set(Event[name].facts)] == []


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading of the page."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_lists_every_event_as_the_code_has_it() -> None:
    code = [
        [f"`{each.title}`", each.about, ", ".join(f"`{fact}`" for fact in each.facts), each.meaning] for each in Event
    ]
    assert rows("Events") == code


def test_the_page_lists_every_artifact_as_the_code_has_it() -> None:
    assert rows("Artifacts") == [[f"`{each.suffix}`", each.subjects, each.kind, each.meaning] for each in What]


def test_a_version_is_named_with_the_role_and_the_stack_that_it_lies_in() -> None:
    names = ("prod", "router", "v2")
    assert resource("version", names) == {
        "prefect.resource.id": "tyrell.version.prod.router.v2",
        "prefect.resource.name": "router v2 of prod",
        "tyrell.stack": "prod",
        "tyrell.role": "router",
        "tyrell.version": "v2",
    }
    assert [(each["prefect.resource.role"], each["prefect.resource.id"]) for each in related("version", names)] == [
        ("stack", "tyrell.stack.prod"),
        ("role", "tyrell.role.prod.router"),
    ]


def test_a_network_lies_in_no_stack() -> None:
    assert resource("network", ("demo-network",))["prefect.resource.id"] == "tyrell.network.demo-network"
    assert related("network", ("demo-network",)) == []


@pytest.mark.parametrize(
    ("what", "subject", "key"),
    [
        (What.CHANGES, ("prod", "router"), "prod-router-changes"),
        (What.MERGE, ("Old.Bucket", "to", "new_bucket"), "old-bucket-to-new-bucket-merge"),
    ],
)
def test_a_key_is_the_subject_and_what_of_it_in_the_letters_that_prefect_takes(
    what: What, subject: tuple[str, ...], key: str
) -> None:
    assert artifact_key(what, *subject) == key
