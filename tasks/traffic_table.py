"""Who has which share of a role's traffic before a change and after it, as a table artifact of the run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prefect.artifacts import create_table_artifact

from tasks.artifact_keys import What, artifact_key
from tasks.errors import TyrellError
from tasks.role_parts import ByNothing
from tasks.roles import Role
from tasks.steps import step
from tasks.versions import find_shares

logger = logging.getLogger(__name__)


@contextmanager
def recording_traffic(stack: str, role: Role) -> Iterator[None]:
    """While the block runs, traffic moves; at its end, whatever that is, the table is made. None for a role without."""
    if isinstance(role.traffic, ByNothing):
        yield
        return
    before = find_shares(stack, role)
    try:
        yield
    finally:
        try:
            publish_traffic(stack, role.name, before, find_shares(stack, role))
        except TyrellError as error:  # the reason why the block failed is the one to raise
            logger.warning("no table of the traffic of %s: %s", role.name, error)


@step("traffic of {role} before and after", system="artifacts")
def publish_traffic(stack: str, role: str, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Percent by version; one that had nothing and has nothing is left out."""
    table = [
        {"version": version, "before": f"{before.get(version, 0)} %", "after": f"{after.get(version, 0)} %"}
        for version in dict.fromkeys((*before, *after))
    ]
    key = artifact_key(What.TRAFFIC, stack, role)
    create_table_artifact(table=table, key=key, description=f"Traffic of {role} in {stack}")
