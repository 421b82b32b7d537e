"""What a JSON schema says about values, as people read it."""

from __future__ import annotations

import json
from typing import Any

from docs.generate.markdown import code, table

Schema = dict[str, Any]

_BOUNDS = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}
_FORMATS = {"duration": "duration", "ipv4network": "CIDR block", "ipv4": "IPv4 address", "path": "path"}


def fields_table(schema: Schema) -> str:
    """A row for each property: its name, type, default and meaning."""
    required = set(schema.get("required", ()))
    rows = [
        (code(name), kind(field), "required" if name in required else default(field), field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]
    return table(("name", "type", "default", "meaning"), rows)


def default(field: Schema) -> str:
    """The value that it has when nobody says another; nothing for a record, whose own fields say it."""
    value = field.get("default")
    if isinstance(value, dict):
        return ""
    return "" if value in (None, "", [], {}) else code(value if isinstance(value, str) else json.dumps(value))


def kind(field: Schema) -> str:
    """Its type in words; one with a name of its own is a link to its heading."""
    for key in ("anyOf", "oneOf"):
        if key in field:
            return " or ".join(kind(each) for each in field[key] if each.get("type") != "null")
    if "allOf" in field:
        return kind(field["allOf"][0])
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in field or "enum" in field:
        return ", ".join(code(value) for value in field.get("enum", [field.get("const")]))
    return _plain(field) + _bounds(field)


def _plain(field: Schema) -> str:
    match field.get("type"):
        case "array":
            return f"list of {kind(field.get('items', {}))}"
        case "object":
            values = field.get("additionalProperties")
            return f"mapping to {kind(values if isinstance(values, dict) else {})}"
        case "string":
            return _FORMATS.get(field.get("format", ""), "text")
        case "boolean":
            return "yes or no"
        case other:
            return str(other or "anything")


def _bounds(field: Schema) -> str:
    said = [text.format(field[key]) for key, text in _BOUNDS.items() if key in field]
    return f", {', '.join(said)}" if said else ""
