"""InfluxDB 1.x over HTTP: queries and points. https://docs.influxdata.com/influxdb/v1/tools/api/"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
from pydantic import SecretStr

from tasks.clients import http_client
from tasks.errors import InfluxDenied, InfluxRefused, InfluxUnreachable
from tasks.model import Noun

TIMEOUT = 30.0
SHOWN = 200
"""How much of a statement an error repeats."""
_PASSWORD = re.compile(r"(PASSWORD(?: FOR \S+ =)? )'[^']*'", re.IGNORECASE)


class InfluxAccess(Noun):
    """The server at `url` (http://10.0.0.9:8086) as one of its users."""

    url: str
    username: str
    password: SecretStr


@dataclass(frozen=True)
class Series:
    """A part of an answer: `rows` have a value for each of `columns`, and `tags` are those it was grouped by.

    A column `time` holds milliseconds since 1970.
    """

    name: str
    tags: dict[str, str]
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def query(access: InfluxAccess, statement: str, database: str = "") -> tuple[Series, ...]:
    """The series that one or more InfluxQL statements answer, in their order; empty when there are none.

    Raises InfluxUnreachable, InfluxDenied, and InfluxRefused also for an error in an answer of status 200.
    """
    # In chunks, because rows beyond the server's max-row-limit are left out of any other answer.
    where = {"db": database, "epoch": "ms", "chunked": "true"}
    answer = _post(access, "query", where, {"q": statement}, statement, TIMEOUT)
    try:
        parts = [json.loads(line) for line in answer.text.splitlines()]
    except ValueError:
        raise InfluxUnreachable(access.url, "what answers there is no InfluxDB 1.x") from None
    for part in parts:
        _check(access, part, statement)
    return tuple(_joined(found for part in parts for result in part["results"] for found in result.get("series", ())))


def write(access: InfluxAccess, database: str, lines: Iterable[str], timeout: float = TIMEOUT) -> None:
    """Write points in line protocol: `measurement,tag=value field=1i`, with a time in nanoseconds if not now.

    https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/
    Raises InfluxUnreachable, InfluxDenied, InfluxRefused.
    """
    content = "\n".join(lines)
    _post(access, "write", {"db": database}, content.encode(), content, timeout)


def _post(
    access: InfluxAccess, path: str, where: dict[str, str], body: bytes | dict[str, str], asked: str, timeout: float
) -> httpx.Response:
    """`asked` is what an error repeats."""
    auth = (access.username, access.password.get_secret_value())
    sent: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"data": body}
    try:
        with http_client() as client:
            answer = client.post(f"{access.url}/{path}", params=where, auth=auth, timeout=timeout, **sent)
    except httpx.TimeoutException:
        raise InfluxUnreachable(access.url, f"no answer within {timeout:g} s") from None
    except httpx.HTTPError as error:
        raise InfluxUnreachable(access.url, str(error) or type(error).__name__) from error
    reason = _reason(answer)
    if answer.status_code in (401, 403):
        raise InfluxDenied(access.url, access.username, reason)
    if answer.status_code >= 500:
        raise InfluxUnreachable(access.url, reason)
    if answer.status_code >= 300:
        raise InfluxRefused(access.url, _shown(asked), reason)
    return answer


def _shown(asked: str) -> str:
    return _PASSWORD.sub(r"\1[REDACTED]", asked)[:SHOWN]


def _reason(answer: httpx.Response) -> str:
    try:
        return f"status {answer.status_code}, {answer.json()['error']}"
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"


def _check(access: InfluxAccess, part: Any, statement: str) -> None:
    """An error is in the body, whatever the status: of everything, or of one statement."""
    if not isinstance(part, dict) or not part.keys() & {"results", "error"}:
        raise InfluxUnreachable(access.url, "what answers there is no InfluxDB 1.x")
    for each in (part, *part.get("results", ())):
        if "error" in each:
            raise InfluxRefused(access.url, _shown(statement), each["error"])


def _joined(found: Iterable[dict[str, Any]]) -> Iterator[Series]:
    """A long series comes in several chunks, each but the last marked as `partial`."""
    begun: Series | None = None
    for part in found:
        rows = tuple(map(tuple, part.get("values", ())))
        if begun:
            begun = replace(begun, rows=begun.rows + rows)
        else:
            begun = Series(part.get("name", ""), part.get("tags", {}), tuple(part["columns"]), rows)
        if not part.get("partial"):
            yield begun
            begun = None
