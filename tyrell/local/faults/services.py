"""`services.toml`, and every service's way to say an error."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Creation(BaseModel):
    """What an operation makes: the fields that name it, and the error of who asks for it too early ("": none)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[str, ...]
    code: str = ""


class Service(BaseModel):
    """One service as its table in `services.toml` says. Errors are (HTTP status, code)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    xml: Literal["query", "ec2", "rest"] = "query"
    signed: str = ""
    throttling: tuple[int, str]
    server_error: tuple[int, str] = Field(alias="server-error")
    access_denied: tuple[int, str] = Field(alias="access-denied")
    no_capacity: tuple[int, str] | None = Field(None, alias="no-capacity")
    creates: dict[str, Creation] = {}


@cache
def services() -> dict[str, Service]:
    """Every service by boto3's name."""
    table = tomllib.loads(Path(__file__).with_name("services.toml").read_text())
    return TypeAdapter(dict[str, Service]).validate_python(table)


@cache
def names_by_signature() -> dict[str, str]:
    """boto3's name of the service whose requests are signed for that name."""
    return {service.signed or name: name for name, service in services().items()}


def creations() -> list[str]:
    """`service.Operation` of every call that creates something which can be hidden for a while."""
    return [f"{name}.{operation}" for name, service in services().items() for operation in service.creates]


def error_body(form: str, code: str, message: str) -> tuple[str, bytes]:
    """Content type and body of an error, in JSON or one of the forms of XML."""
    match form:
        case "json":
            return "application/x-amz-json-1.0", json.dumps({"__type": code, "message": message}).encode()
        case "ec2":
            error = f"<Response><Errors><Error>{_said(code, message)}</Error></Errors></Response>"
        case "rest":
            error = f"<Error>{_said(code, message)}</Error>"
        case _:
            error = f"<ErrorResponse><Error><Type>Sender</Type>{_said(code, message)}</Error></ErrorResponse>"
    return "text/xml", error.encode()


def _said(code: str, message: str) -> str:
    return f"<Code>{code}</Code><Message>{escape(message)}</Message>"
