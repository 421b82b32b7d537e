"""The page of environment variables: those of the commands' options, and the constants that name one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from docs.generate.commands import find_commands
from docs.generate.markdown import code, page, table

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "TYRELL_"

INTRODUCTION = """
# Environment variables

Beside these, AWS clients read their usual variables (`AWS_PROFILE`, `AWS_DEFAULT_REGION`, ...) and Prefect its own:
`PREFECT_API_URL` says which server keeps the runs. `tyrell local up` prints all that lead an AWS client, and Prefect,
to the embedded cloud; `tyrell` itself finds it without.
"""


def environment_page() -> str:
    """Every variable of Tyrell's own."""
    found = dict(sorted([*_of_options(), *_of_constants()]))
    return page(INTRODUCTION, table(("variable", "meaning"), [(code(name), text) for name, text in found.items()]))


def _of_options() -> Iterator[tuple[str, str]]:
    for _, command in find_commands():
        for parameter in command.params:
            if parameter.envvar:
                yield parameter.envvar, f"{parameter.help} (`--{parameter.name}`, or the argument)"


def _of_constants() -> Iterator[tuple[str, str]]:
    """The constants whose value is such a name, each with the text below it."""
    for file in sorted(path for folder in ("flows", "tasks", "tyrell") for path in (ROOT / folder).rglob("*.py")):
        for one, below in pairwise(ast.parse(file.read_text()).body):
            match one, below:
                case (
                    ast.Assign(value=ast.Constant(value=str(name))),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ) if name.startswith(PREFIX):
                    yield name, text.removeprefix("Environment variable: ")
