"""A template's parameters: what was given, checked against what was declared.

Source: AWS CloudFormation User Guide, "CloudFormation template Parameters syntax".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tyrell.local.cloudformation.errors import ValidationError

MASK = "****"
"""What the API shows in place of a NoEcho parameter."""

SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")


def read_parameters(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str], read_ssm: Callable[[str], str]
) -> dict[str, Any]:
    """The value of every declared parameter: a string, or a list of strings for the list types.

    `read_ssm` gives the value of an SSM parameter by name, for the type `AWS::SSM::Parameter::Value<...>`.
    Raises ValidationError for an unknown or missing parameter and for a value its declaration forbids.
    """
    if unknown := sorted(given.keys() - declared.keys()):
        raise ValidationError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    if missing := [name for name, entry in declared.items() if name not in given and "Default" not in entry]:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    return {
        name: _read(name, entry, given.get(name, _text(entry.get("Default"))), read_ssm)
        for name, entry in declared.items()
    }


def shown_value(declaration: Mapping[str, Any], value: str) -> str:
    """The value as the API may show it."""
    return MASK if _text(declaration.get("NoEcho")) == "true" else value


def default_text(declaration: Mapping[str, Any]) -> str | None:
    """The default as text, as ValidateTemplate answers it; None without one."""
    return _text(declaration["Default"]) if "Default" in declaration else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(name: str, declaration: Mapping[str, Any], value: str, read_ssm: Callable[[str], str]) -> Any:
    kind = str(declaration.get("Type", "String"))
    if stored := SSM_VALUE.fullmatch(kind):
        kind, value = stored[1], read_ssm(value)
    is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
    values = [item.strip() for item in value.split(",") if item.strip()] if is_list else [value]
    for item in values:
        _check(name, declaration, item, is_number="Number" in kind)
    return values if is_list else value


def _check(name: str, declaration: Mapping[str, Any], value: str, *, is_number: bool) -> None:
    allowed = [_text(item) for item in declaration.get("AllowedValues", [])]
    if allowed and value not in allowed:
        _refuse(name, declaration, f"must be one of AllowedValues: [{', '.join(allowed)}]")
    pattern = declaration.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        _refuse(name, declaration, f"must match pattern {pattern}")
    if not int(declaration.get("MinLength", 0)) <= len(value) <= int(declaration.get("MaxLength", len(value))):
        _refuse(name, declaration, f"must have {_range(declaration, 'Length')} characters")
    if is_number:
        _check_number(name, declaration, value)


def _check_number(name: str, declaration: Mapping[str, Any], value: str) -> None:
    try:
        number = float(value)
    except ValueError:
        raise ValidationError(f"Parameter '{name}' must be a number") from None
    if not float(declaration.get("MinValue", number)) <= number <= float(declaration.get("MaxValue", number)):
        _refuse(name, declaration, f"must be a number {_range(declaration, 'Value')}")


def _range(declaration: Mapping[str, Any], what: str) -> str:
    limits = [("at least", f"Min{what}"), ("at most", f"Max{what}")]
    return " and ".join(f"{words} {declaration[key]}" for words, key in limits if key in declaration)


def _refuse(name: str, declaration: Mapping[str, Any], rule: str) -> None:
    if text := declaration.get("ConstraintDescription"):
        raise ValidationError(f"Parameter {name} failed to satisfy constraint: {text}")
    raise ValidationError(f"Parameter '{name}' {rule}")
