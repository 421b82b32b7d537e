"""The ways into a stack's metrics. A stack that is attached to a metrics stack has secrets that say where and who."""

from __future__ import annotations

from pydantic import SecretStr

from tasks.errors import UsageError
from tasks.influxdb import InfluxAccess
from tasks.secrets import find_secret

DATABASE = "telegraf"
"""Where a stack's agents write."""


def writer_secret(stack: str) -> str:
    """The name of the secret with which a stack writes: {metrics, url, database, username, password}."""
    return f"tyrell/{stack}/metrics"


def reader_secret(metrics: str) -> str:
    """The name of the secret with which all of a metrics stack is read: {url, username, password}."""
    return f"tyrell/{metrics}/reader"


def find_writer(stack: str) -> InfluxAccess | None:
    """With which the stack writes its metrics; None when it has none."""
    values = find_secret(writer_secret(stack))
    return None if values is None else _access(writer_secret(stack), values)


def find_reader(stack: str) -> InfluxAccess:
    """With which the stack's metrics are read. Raises UsageError when it has none, or when a secret is not whole."""
    values = find_secret(writer_secret(stack))
    if values is None:
        raise UsageError(f"stack {stack} has no metrics; attach it with `tyrell metrics attach {stack} NAME`")
    metrics = values.get("metrics", "")
    reader = find_secret(reader_secret(metrics))
    if reader is None:
        raise UsageError(
            f"metrics stack {metrics!r} of stack {stack} has no reader (secret {reader_secret(metrics)}); attach the"
            f" stack anew with `tyrell metrics attach {stack} NAME`"
        )
    return _access(reader_secret(metrics), reader)


def _access(name: str, values: dict[str, str]) -> InfluxAccess:
    try:
        return InfluxAccess(url=values["url"], username=values["username"], password=SecretStr(values["password"]))
    except KeyError as error:
        raise UsageError(f"secret {name} has no {error}; attach the stack anew with `tyrell metrics attach`") from None
