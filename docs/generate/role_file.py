"""The page of `role.toml`: every key, its type, its default."""

from __future__ import annotations

import inspect

from docs.generate.markdown import page
from docs.generate.schemas import Schema, fields_table, kind
from tasks.roles import Role

INTRODUCTION = """
# role.toml

Every key that a role's file may have; one that is not here is refused, with file and key. A whole file, with every key
in it, is in [roles/README.md](../../roles/README.md). Durations are ISO 8601, as `PT5M`.
"""


def role_file_page() -> str:
    """The keys of the file, then those of its tables."""
    schema = Role.model_json_schema(by_alias=True)
    del schema["properties"]["name"]  # that of its folder
    schema["required"].remove("name")
    tables = schema["$defs"]
    return page(INTRODUCTION, "## Role", fields_table(schema), *(_table(name, tables[name]) for name in sorted(tables)))


def _table(name: str, schema: Schema) -> str:
    meaning = inspect.cleandoc(schema.get("description", ""))
    body = fields_table(schema) if "properties" in schema else kind(schema)
    return page(f"## {name}", meaning, body)
