"""Secrets Manager: secrets that are records of texts. Their values are in no log, parameter or artifact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tasks.clients import secretsmanager
from tasks.errors import NotFound, UsageError
from tasks.model import Changes


def find_secret(name: str) -> dict[str, str] | None:
    """The values of a secret by their keys, or None when there is none. Raises UsageError when it is no such record."""
    try:
        text = secretsmanager().get_secret_value(SecretId=name).get("SecretString", "")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return _read(name, text)


def _read(name: str, text: str) -> dict[str, str]:
    try:
        values: Any = json.loads(text)
    except ValueError:  # its text is part of the error, so it must not be a cause
        values = None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise UsageError(f"secret {name} must be a JSON object of texts; write it anew")
    return values


def check_secrets(stack: str, wanted: Mapping[str, str]) -> None:
    """Raises NotFound when a secret `tyrell/STACK/NAME` of these is not there; `wanted` says by name what makes it."""
    for name, made_by in wanted.items():
        full = f"tyrell/{stack}/{name}"
        try:
            secretsmanager().describe_secret(SecretId=full)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise NotFound(f"secret {full}", made_by.replace("STACK", stack)) from None


def put_secret(name: str, values: dict[str, str]) -> Changes:
    """Make the secret hold these values, whether it is there or not; nothing is written when it does already."""
    there = find_secret(name)
    if there == values:
        return ()
    text = json.dumps(values)
    if there is None:
        secretsmanager().create_secret(Name=name, SecretString=text)
        return (f"created secret {name}",)
    secretsmanager().put_secret_value(SecretId=name, SecretString=text)
    return (f"updated secret {name}",)


def delete_secret(name: str) -> Changes:
    """Remove the secret at once and for good, so that its name is free again."""
    if find_secret(name) is None:
        return ()
    secretsmanager().delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    return (f"deleted secret {name}",)
