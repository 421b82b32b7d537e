"""What a template value refers to: the edges of the dependency graph."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")
"""A variable of Fn::Sub: `${Name}` or `${Name.Attribute}`; `${!Name}` is the text `${Name}` itself."""


class Reference(NamedTuple):
    """`name` is a parameter, a pseudo parameter or a logical id; `attribute` is None for Ref."""

    name: str
    attribute: str | None = None


def attribute_reference(argument: Any) -> Reference:
    """The argument of Fn::GetAtt, either `Name.Attribute` or `[Name, Attribute]`, as a reference."""
    name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    return Reference(name, attribute)


def placeholder_reference(placeholder: str) -> Reference:
    """What `${placeholder}` stands for inside Fn::Sub."""
    name, dot, attribute = placeholder.strip().partition(".")
    return Reference(name, attribute if dot else None)


def references(value: Any) -> set[Reference]:
    """All references in `value`, in both branches of every Fn::If."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    if len(value) == 1:
        ((key, argument),) = value.items()
        if key == "Ref" and isinstance(argument, str):
            return {Reference(argument)}
        if key == "Fn::GetAtt":
            return {attribute_reference(argument)}
        if key == "Fn::Sub":
            return _sub_references(argument)
    return references(list(value.values()))


def _sub_references(argument: Any) -> set[Reference]:
    text, variables = argument if isinstance(argument, list) else (argument, {})
    found = {placeholder_reference(name) for literal, name in PLACEHOLDER.findall(text) if not literal}
    return {reference for reference in found if reference.name not in variables} | references(variables)
