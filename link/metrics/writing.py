"""Writing points into InfluxDB 1.x. https://docs.influxdata.com/influxdb/v1/tools/api/#write-http-endpoint"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from urllib.parse import urlencode

from link.shared.access import Access

TIMEOUT = 5.0
WRITTEN = 204
LONGEST_REASON = 300

# No proxy of the environment leads to a server in our own network.
_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotWritten(Exception):
    """The points are not in the database, this time; the text is one sentence."""


class AccessRefused(NotWritten):
    """InfluxDB does not know the user, or he may not write there."""


class PointsRefused(NotWritten):
    """Some of the points can never be written; all others are."""


def write(access: Access, lines: Sequence[str]) -> None:
    """Write points, their times in seconds. Raises `NotWritten`."""
    where = urlencode({"db": access.database, "precision": "s"})
    login = base64.b64encode(f"{access.username}:{access.password}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310  Access has http or https
        f"{access.url}/write?{where}", "\n".join(lines).encode(), {"Authorization": f"Basic {login}"}
    )
    try:
        status, body = _answer(request)
    except (OSError, HTTPException, ValueError) as error:  # the last for a host that can be none
        reason = getattr(error, "reason", error)
        raise NotWritten(f"InfluxDB at {access.url} does not answer: {reason}") from None
    if status == WRITTEN:
        return
    said = f"InfluxDB at {access.url} answers {status}: {_reason(body)}"
    raise {400: PointsRefused, 401: AccessRefused, 403: AccessRefused}.get(status, NotWritten)(said)


def _answer(request: urllib.request.Request) -> tuple[int, bytes]:
    try:
        with _http.open(request, timeout=TIMEOUT) as answer:
            return answer.status, answer.read(LONGEST_REASON)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(LONGEST_REASON)


def _reason(body: bytes) -> str:
    text = body.decode(errors="replace").strip()
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text or "nothing"
