"""Writing points into InfluxDB 1.x. https://docs.influxdata.com/influxdb/v1/tools/api/#write-http-endpoint"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from urllib.parse import urlencode

from link.shared.access import Access
from link.shared.posting import NoAnswer, post

WRITTEN = 204


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
    try:
        status, said = post(
            f"{access.url}/write?{where}", "\n".join(lines).encode(), {"Authorization": f"Basic {login}"}
        )
    except NoAnswer as error:
        raise NotWritten(f"InfluxDB at {access.url} does not answer: {error}") from None
    if status == WRITTEN:
        return
    refusal = {400: PointsRefused, 401: AccessRefused, 403: AccessRefused}.get(status, NotWritten)
    raise refusal(f"InfluxDB at {access.url} answers {status}: {_reason(said)}")


def _reason(said: str) -> str:
    try:
        return str(json.loads(said)["error"])
    except (ValueError, KeyError, TypeError):
        return said or "nothing"
