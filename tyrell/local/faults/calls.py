"""A request to the AWS API, read as far as a fault has to know it: who calls which operation about what."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from tyrell.local.aws import ACCESS_KEY
from tyrell.local.faults.services import Service, names_by_signature, services

READS = ("Describe", "List", "Get", "Search", "GET", "HEAD")
"""How the names of operations begin that change nothing."""


@dataclass(frozen=True)
class Call:
    """One call. `values` by name are the parameters of its request, when it takes them as a form.

    `form` is that of its answers: json, or one of the forms of XML.
    """

    service: str
    operation: str
    form: str
    values: dict[str, str]
    by_cloud: bool

    @property
    def name(self) -> str:
        """`service.Operation`, as faults name it."""
        return f"{self.service}.{self.operation}"

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.operation.startswith(READS)

    @property
    def told(self) -> Service:
        """What `services.toml` says of its service."""
        return services()[self.service]


def read_call(environ: dict[str, Any]) -> Call | None:
    """The call that a WSGI request is, whose body stays to be read; None: of no service that faults know."""
    credential = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0].split("/")
    if len(credential) != 5 or credential[3] not in names_by_signature():
        return None
    name = names_by_signature()[credential[3]]
    values = _form(environ)
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return Call(
        service=name,
        operation=target or values.get("Action") or environ["REQUEST_METHOD"],
        form="json" if target else services()[name].xml,
        values=values,
        by_cloud=credential[0] == ACCESS_KEY,
    )


def _form(environ: dict[str, Any]) -> dict[str, str]:
    if "x-www-form-urlencoded" not in environ.get("CONTENT_TYPE", ""):
        return {}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return dict(parse_qsl(body.decode(), keep_blank_values=True))
