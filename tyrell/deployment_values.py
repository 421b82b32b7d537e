"""Parameters as words of a command line, read as the deployment's own schema says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tasks.errors import UsageError


def parse_values(given: list[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """`["stack=prod", "size=3"]` as parameters; `schema` is the deployment's (JSON schema).

    What may be a text is taken as it is, all else as JSON. Raises UsageError for what is no NAME=VALUE, no parameter,
    or no JSON; whether a value fits is for the server to say.
    """
    known: Mapping[str, Any] = schema.get("properties", {})
    values: dict[str, Any] = {}
    for each in given:
        name, sign, text = each.partition("=")
        if not sign:
            raise UsageError(f"{each}: write NAME=VALUE, for example stack=prod")
        if name not in known:
            raise UsageError(f"there is no parameter {name!r}; there are {', '.join(known) or 'none'}")
        values[name] = text if _may_be_text(known[name], schema) else _from_json(name, text)
    return values


def _may_be_text(kind: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    if "$ref" in kind:  # "#/definitions/Strategy"
        return _may_be_text(schema.get("definitions", {}).get(kind["$ref"].rpartition("/")[2], {}), schema)
    choices = [*kind.get("anyOf", ()), *kind.get("allOf", ())]
    return kind.get("type") == "string" or any(_may_be_text(choice, schema) for choice in choices)


def _from_json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise UsageError(f'{name}={text}: write JSON, for example 3, true, ["router"] or {{"a": 1}}') from None
