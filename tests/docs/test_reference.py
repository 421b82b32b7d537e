"""The reference pages are what the code says now."""

from __future__ import annotations

import re

import pytest

from docs.generate.commands import find_commands
from docs.generate.flows import find_flows
from docs.generate.pages import FOLDER, pages
from docs.generate.role_file import role_file_page
from tests.docs.pages import ROOT

MADE = pages()


@pytest.mark.parametrize("name", MADE)
def test_a_reference_page_is_current(name: str) -> None:
    assert (FOLDER / name).read_text() == MADE[name], (
        f"docs/reference/{name} is not current: `make reference` writes it"
    )


def test_there_is_no_reference_page_that_nobody_writes() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(MADE)


def test_every_flow_and_every_command_has_a_section() -> None:
    flows = {
        name for path in ROOT.glob("flows/*.py") for name in re.findall(r'@flow\(name="([^"]+)"', path.read_text())
    }
    assert {flow.name for flow in find_flows()} == flows
    assert len(flows) > 20
    for words in ("tyrell up", "tyrell builds", "tyrell builds prune", "tyrell local fault add"):
        assert f"\n## {words}\n" in MADE["commands.md"]


def test_everything_that_can_be_said_has_a_meaning() -> None:
    for words, command in find_commands():
        assert command.help, words
        for parameter in command.params:
            assert parameter.name == "help" or parameter.help, f"{words}: {parameter.name}"
    for row in re.findall(r"^\| `.*$", role_file_page() + MADE["flows.md"].partition("## Records")[0], re.MULTILINE):
        _, _, kind, _, meaning, _ = re.split(r"(?<!\\)\|", row)
        assert meaning.strip() or "](#" in kind or kind.strip().startswith("`"), row


def test_every_variable_that_the_code_names_is_on_the_page() -> None:
    files = [path for folder in ("flows", "tasks", "tyrell") for path in (ROOT / folder).rglob("*.py")]
    named = {name for path in files for name in re.findall(r"\bTYRELL_[A-Z_]*[A-Z]\b", path.read_text())}
    assert named == set(re.findall(r"^\| `(TYRELL_\w+)`", MADE["environment.md"], re.MULTILINE))
