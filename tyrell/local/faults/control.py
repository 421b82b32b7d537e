"""The control endpoint: faults are given to a running cloud, listed and taken back over HTTP, as JSON.

GET /_tyrell/faults lists them · POST /_tyrell/faults adds one · DELETE /_tyrell/faults[/<id>] takes all or one back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tyrell.local.faults.model import FAULT, Given
from tyrell.local.faults.switches import Switches

PATH = "/_tyrell/faults"
"""No bucket can have this name: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

GIVEN: TypeAdapter[list[Given]] = TypeAdapter(list[Given])


class Control:
    """A WSGI application over the faults of one cloud. Answers with a list of faults; 400 and a sentence for errors."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request."""
        try:
            body = GIVEN.dump_json(self._carry_out(environ))
        except (ValidationError, ValueError) as problem:
            start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
            return [said(problem).encode()]
        start_response("200 OK", [("Content-Type", "application/json")])
        return [body]

    def _carry_out(self, environ: dict[str, Any]) -> list[Given]:
        number = environ["PATH_INFO"].removeprefix(PATH).strip("/")
        match environ["REQUEST_METHOD"]:
            case "GET":
                return self._switches.given()
            case "POST":
                text = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                return [self._switches.add(FAULT.validate_json(text))]
            case "DELETE" if not number or number.isdigit():
                return self._cleared(number)
        raise ValueError(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} is not understood")

    def _cleared(self, number: str) -> list[Given]:
        cleared = self._switches.clear(int(number) if number else None)
        if number and not cleared:
            known = ", ".join(str(each.id) for each in self._switches.given()) or "none"
            raise ValueError(f"there is no fault {number}; there are {known}")
        return cleared


def said(problem: ValueError) -> str:
    """One sentence: what is wrong, and where."""
    if not isinstance(problem, ValidationError):
        return str(problem)
    first = problem.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return f"{where}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": ")
