"""Command lines and environment files as systemd reads them: systemd.service(5) "Command lines", systemd.exec(5)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

OTHER_PREFIXES = ("@", ":", "+", "!")
VARIABLE = re.compile(r"\$(?:\$|\{(?P<braced>\w+)\}|(?P<plain>[A-Za-z_]\w*))")


@dataclass(frozen=True)
class Command:
    """One Exec line: its words, variables not yet expanded, and whether its failure counts (prefix `-`)."""

    words: tuple[str, ...]
    ignore_failure: bool = False


def parse_command(line: str) -> Command:
    """An Exec line as a Command. Raises ValueError for an empty line, an open quote or a prefix other than `-`."""
    ignore_failure = line.startswith("-")
    words = tuple(shlex.split(line.removeprefix("-")))
    if not words:
        raise ValueError("the command is empty")
    if words[0].startswith(OTHER_PREFIXES):
        raise ValueError(f"the prefix {words[0][0]!r} of {words[0]!r} is not supported; only '-' is")
    return Command(words, ignore_failure)


def expand(command: Command, environment: Mapping[str, str]) -> list[str]:
    """The words with variables replaced: `${X}` inside a word stays one word, a word `$X` becomes zero or more words.

    `$$` is a dollar sign; what is not set is empty. The program itself is not expanded.
    """
    words = [command.words[0]]
    for word in command.words[1:]:
        whole = VARIABLE.fullmatch(word)
        if whole and whole["plain"]:
            words += environment.get(whole["plain"], "").split()
        else:
            words.append(VARIABLE.sub(lambda found: _value(found, environment), word))
    return words


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    if found["braced"]:
        return environment.get(found["braced"], "")
    return "$" if found[0] == "$$" else found[0]  # $X inside a word is not a variable


def parse_assignments(line: str) -> dict[str, str]:
    """`A=1 "B=two words"` as a dictionary. Raises ValueError for a word without `=`."""
    assignments = {}
    for word in shlex.split(line):
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ValueError(f"{word!r} is not of the form NAME=value")
        assignments[name] = value
    return assignments


def parse_environment_file(text: str) -> dict[str, str]:
    """Lines `NAME=value`, the value perhaps in quotes; empty lines and comments (`#`, `;`) do not count."""
    assignments = {}
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith(("#", ";")):
            name, equals, value = stripped.partition("=")
            if not equals:
                raise ValueError(f"{stripped!r} is not of the form NAME=value")
            assignments[name.strip()] = _unquoted(value.strip())
    return assignments


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
