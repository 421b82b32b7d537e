"""What was deployed when, next to the metrics: points in InfluxDB that dashboards show as vertical lines."""

from __future__ import annotations

import json
import logging
from typing import Literal

from prefect.runtime import flow_run
from prefect.utilities.urls import url_for

from tasks.clients import on_forget
from tasks.influxdb import InfluxAccess, write
from tasks.model import Changes, Version
from tasks.monitoring.access import find_writer
from tasks.monitoring.databases import METRICS

logger = logging.getLogger(__name__)

TIMEOUT = 2.0
"""Seconds that a change may be held up for its annotation."""

_writers: dict[tuple[str, str], InfluxAccess | None] = {}
on_forget(_writers.clear)


def annotate(
    version: Version, kind: Literal["switch", "rollback", "scale"], changes: Changes, percent: int | None = None
) -> None:
    """Write what was changed, and that the version has `percent` of the traffic now, to the stack's metrics.

    Nothing for no changes, or when the stack has no metrics, which is looked at once in a flow run. The change is
    done already, so whatever goes wrong is a warning.
    """
    if not changes:
        return
    try:
        writer = _writer(version.stack)
        if writer:
            write(writer, METRICS, (_point(version, kind, changes, percent),), TIMEOUT)
    except Exception as error:
        logger.warning("%s is not marked in the metrics: %s", "; ".join(changes), error)


def _writer(stack: str) -> InfluxAccess | None:
    key = (str(flow_run.id), stack)
    if key not in _writers:
        _writers[key] = None  # also when it cannot be looked at: not every step is to wait for that
        _writers[key] = find_writer(stack)
    return _writers[key]


def _run_url() -> str:
    return (url_for("flow-run", flow_run.id) or "") if flow_run.id else ""


def _point(version: Version, kind: str, changes: Changes, percent: int | None) -> str:
    """In line protocol; a text is quoted as in JSON, with no line in it that could end."""
    tags = f"link_stack={version.stack},role={version.role},version={version.id},kind={kind}"
    texts = {"text": "; ".join(changes), "run_url": _run_url()}
    fields = [f"{name}={json.dumps(text, ensure_ascii=False)}" for name, text in texts.items()]
    return f"deployments,{tags} {','.join(fields)}" + ("" if percent is None else f",percent={percent}i")
