"""The page of the `tyrell` command: every subcommand with its arguments, options and help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from docs.generate.markdown import code, page, table
from tyrell.cli import app

INTRODUCTION = """
# Commands

`tyrell COMMAND --help` tells the same. Without `--cloud`, a command works on the embedded cloud when that is up, else
on AWS. [Exit codes](exit-codes.md) · [environment variables](environment.md)
"""


def commands_page() -> str:
    """Every command, in the order in which `--help` lists them."""
    return page(INTRODUCTION, *(_section(words, command) for words, command in find_commands()))


def find_commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, with the words that call it."""
    yield from _below("tyrell", typer.main.get_command(app))


def _below(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield words, command
        return
    if command.invoke_without_command:
        yield words, command
    for name, inner in command.commands.items():
        yield from _below(f"{words} {name}", inner)


def _section(words: str, command: Any) -> str:
    context = command.make_context(words, [], resilient_parsing=True)
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    return page(
        f"## {words}",
        command.help or "",
        table(("argument", "meaning"), [(_argument(each), _meaning(each)) for each in arguments]),
        table(("option", "meaning"), [(_option(each, context), _meaning(each)) for each in options]),
    )


def _argument(argument: Any) -> str:
    name = argument.metavar or argument.name.upper() + ("..." if argument.nargs == -1 else "")
    return code(name if argument.required or name.startswith("[") else f"[{name}]")


def _option(option: Any, context: Any) -> str:
    names = ", ".join(code(name) for name in (*option.opts, *option.secondary_opts))
    return names if option.is_flag else f"{names} {code(option.display_type_rich(context))}"


def _meaning(parameter: Any) -> str:
    variable = f" Environment: `{parameter.envvar}`." if parameter.envvar else ""
    value = parameter.default
    default = f" Default: `{value}`." if value and isinstance(value, (str, int, float)) and value is not True else ""
    return f"{parameter.help or ''}{default}{variable}"
