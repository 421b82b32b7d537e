"""How a Link stack writes its metrics, and how they are read: what the secrets of its users say."""

from __future__ import annotations

from pydantic import SecretStr

from tasks.errors import UsageError
from tasks.influxdb import InfluxAccess
from tasks.monitoring.users import reader, writer_secret
from tasks.secrets import find_secret


def find_writer(stack: str) -> InfluxAccess | None:
    """With which the stack's machines write; None when it is attached to no metrics stack."""
    values = find_secret(writer_secret(stack))
    return None if values is None else _access(writer_secret(stack), values)


def find_reader(stack: str) -> InfluxAccess:
    """With which the stack's metrics are read. Raises UsageError when it is attached to no metrics stack."""
    attached = f"attach it with `tyrell metrics attach {stack} NAME`"
    values = find_secret(writer_secret(stack))
    if values is None:
        raise UsageError(f"stack {stack} has no metrics; {attached}")
    secret = reader(values.get("metrics", "")).secret
    found = find_secret(secret)
    if found is None:
        raise UsageError(f"stack {stack} has metrics, but secret {secret} of who reads them is gone; {attached}")
    return _access(secret, found)


def _access(name: str, values: dict[str, str]) -> InfluxAccess:
    try:
        return InfluxAccess(url=values["url"], username=values["username"], password=SecretStr(values["password"]))
    except KeyError as error:
        raise UsageError(f"secret {name} has no {error}; `tyrell metrics attach` writes it anew") from None
