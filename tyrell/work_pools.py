"""Prefect's work pools, made of the base job templates in `deployments/pools`: where and as what a flow run runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound

from tasks.errors import UsageError
from tasks.model import Changes

FOLDER = Path(__file__).resolve().parent.parent / "deployments" / "pools"


def pool_kinds() -> tuple[str, ...]:
    """The kinds there are: the templates, each named after the worker type that it is for."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def load_template(kind: str) -> dict[str, Any]:
    """The base job template of a kind. Raises UsageError when there is none."""
    if kind not in pool_kinds():
        raise UsageError(f"there is no kind of work pool {kind!r}; there are {', '.join(pool_kinds())}")
    template: dict[str, Any] = json.loads((FOLDER / f"{kind}.json").read_text())
    return template


def create_pool(name: str, kind: str = "process") -> Changes:
    """Make the work pool `name` on the Prefect server of the environment, or give it the template as it is now.

    What people have set on it since (a limit, a pause) stays. Returns what changed. Raises UsageError when there is no
    such kind, or when the pool is of another one: Prefect cannot change that.
    """
    template = load_template(kind)
    with get_client(sync_client=True) as client:
        try:
            pool = client.read_work_pool(name)
        except ObjectNotFound:
            return _create(client, name, kind, template)
        if pool.type != kind:
            raise UsageError(f"work pool {name} is of kind {pool.type}, not {kind}; delete it or choose another name")
        if pool.base_job_template == template:
            return ()
        client.update_work_pool(name, WorkPoolUpdate(base_job_template=template))
    return (f"updated the template of work pool {name}",)


def _create(client: SyncPrefectClient, name: str, kind: str, template: dict[str, Any]) -> Changes:
    client.create_work_pool(WorkPoolCreate(name=name, type=kind, base_job_template=template))
    return (f"created work pool {name} of kind {kind}",)
