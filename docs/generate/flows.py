"""The page of the flows: what each does and takes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from prefect import Flow
from prefect.utilities.callables import parameter_schema

import flows
from docs.generate.markdown import page
from docs.generate.schemas import Schema, fields_table, kind

INTRODUCTION = """
# Flows

What the `tyrell` command runs, and what Prefect deployments (`deployments/prefect.yaml`) offer. A flow may be killed
at any line and run again with the same parameters. Durations are written as ISO 8601 (`PT5M`) in Prefect's API.
"""


def flows_page() -> str:
    """Every flow in the alphabet's order, then the records that they take."""
    schemas = {flow.name: parameter_schema(flow.fn).model_dump() for flow in find_flows()}
    records = {name: record for schema in schemas.values() for name, record in schema["definitions"].items()}
    told = [_section(flow, schemas[flow.name]) for flow in find_flows()]
    return page(INTRODUCTION, *told, "## Records", *(_record(name, records[name]) for name in sorted(records)))


def find_flows() -> list[Flow[..., object]]:
    """All flows of the package `flows`."""
    modules = [importlib.import_module(f"flows.{each.name}") for each in pkgutil.iter_modules(flows.__path__)]
    found = {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Flow)}
    return [found[name] for name in sorted(found)]


def _section(flow: Flow[..., object], schema: Schema) -> str:
    source = f"flows/{flow.fn.__module__.rpartition('.')[2]}.py"
    meaning = inspect.cleandoc(flow.fn.__doc__ or "").partition("\nArgs:")[0]
    return page(f"## {flow.name}", meaning, fields_table(schema), f"Source: [`{source}`](../../{source})")


def _record(name: str, schema: Schema) -> str:
    meaning = inspect.cleandoc(schema.get("description", ""))
    body = fields_table(schema) if "properties" in schema else kind(schema)
    return page(f"### {name}", meaning, body)
