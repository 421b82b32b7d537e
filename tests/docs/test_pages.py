"""What the pages say is there: their links, the commands they name, and the messages they quote."""

from __future__ import annotations

import ast
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from tests.docs.pages import ANYTHING, DOCS, PROMPT, ROOT, all_pages, blocks
from tyrell.cli import app

PAGES = {str(page.relative_to(ROOT)): page for page in all_pages()}
NUMBERS = {"N", "MINUTES", "$GITHUB_RUN_ATTEMPT"}
"""Placeholders that stand for a number."""


def headings(page: Path) -> set[str]:
    """What a link may name after `#`, as GitHub makes it of headings."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    page = PAGES[name]
    for link in re.findall(r"(?:\]\(|src=\")([^)\s\"]+)", page.read_text()):
        if link.startswith("https://"):
            continue
        file, _, heading = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{name}: {link}"
        assert not heading or heading in headings(target), f"{name}: {link}"


def commands(page: Path) -> set[str]:
    """Every `tyrell ...` that a page tells to type, in a block or in a sentence."""
    text = page.read_text().replace("\\\n", " ")
    typed = [line for block in blocks(page) if block.language == "console" for line in block.lines]
    said = re.findall(r"`(tyrell [^`]*)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    listed = re.findall(r"^(?:\.venv/bin/)?(tyrell .*)$", text, re.MULTILINE)
    prompted = [line.removeprefix(PROMPT) for line in typed if line.startswith(f"{PROMPT}tyrell ")]
    return {" ".join(line.split("#")[0].rstrip("\\").split()) for line in [*said, *listed, *prompted]}


@cache
def command_line() -> Any:
    """The `tyrell` command, as its parser knows it."""
    return typer.main.get_command(app)


def parse(words: list[str]) -> None:
    """Have the command line's own parser read the words; a command without any is only named."""
    command: Any = command_line()
    rest = words
    context = command.make_context("tyrell", rest)
    while isinstance(command, TyperGroup) and rest:
        name, command, rest = command.resolve_command(context, rest)
        if rest:
            context = command.make_context(name, list(rest), parent=context)


@pytest.mark.parametrize("name", [name for name in PAGES if commands(PAGES[name])])
def test_every_command_that_is_named_can_be_read_by_the_command_line(name: str) -> None:
    for line in commands(PAGES[name]):
        words = shlex.split(re.split(r" (?:>|2>|\||&&|&)", line)[0])
        if ANYTHING in line or words == ["tyrell", "COMMAND", "--help"]:
            continue
        try:
            parse(["3" if word in NUMBERS else word for word in words[1:]])
        except Exception as error:
            raise AssertionError(f"{name}: `{line}`: {error}") from error


@cache
def texts() -> str:
    """Every text in the code; where a value comes in, a text ends."""
    files = [path for folder in ("flows", "tasks", "tyrell") for path in sorted((ROOT / folder).rglob("*.py"))]
    found = [
        node.value
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return "\0".join([*found, (ROOT / "tasks" / "stack_statuses.toml").read_text()])


def test_the_messages_that_are_quoted_are_said_by_the_code() -> None:
    quoted = [
        line
        for page in DOCS.rglob("*.md")
        for block in blocks(page)
        if block.language == "text"
        for line in block.lines
    ]
    assert len(quoted) > 20
    for line in quoted:
        for part in line.removeprefix("tyrell: ").split(ANYTHING):
            assert part.strip(" ") in texts(), f"nobody says `{part}` of `{line}`"
