"""How a run is found in Prefect's list of runs: by a name that says what it does, and by tags to filter with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prefect import Flow, runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State


def tag_run(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001  as Prefect calls it
    """A hook for `on_running`: the run gets the tags of what it is about, wherever it was started from."""
    tags = tags_of(flow_run.parameters)
    if not tags <= set(flow_run.tags):
        with get_client(sync_client=True) as client:
            client.update_flow_run(flow_run.id, tags=sorted(tags | set(flow_run.tags)))


def tags_of(parameters: Mapping[str, Any]) -> set[str]:
    """`stack:NAME`, `role:NAME` and so on, from a run's parameters as the API has them."""
    named = {(kind, name) for kind in ("stack", "role", "metrics") for name in _names(parameters.get(kind))}
    named |= {("role", name) for name in parameters.get("roles") or ()}
    return {f"{kind}:{name}" for kind, name in named}


def _names(value: Any) -> Iterable[str]:
    """Of a name, or of a noun that has one; nothing of an empty value."""
    name = value.get("name") if isinstance(value, Mapping) else value
    return (name,) if name else ()


def name_run(name: str) -> None:
    """Call the current run so, once it is known what exactly it does; nothing is done outside a run."""
    if runtime.flow_run.id:
        with get_client(sync_client=True) as client:
            client.update_flow_run(runtime.flow_run.id, name=name)
