"""A small asyncio client of InfluxDB 1.x, for queries. https://docs.influxdata.com/influxdb/v1/tools/api/#query-http-endpoint"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

TIMEOUT = 10.0


class InfluxDbUnavailable(Exception):
    """InfluxDB gave no answer in time."""


class InfluxDbRefused(Exception):
    """InfluxDB said no: to the query, or to us."""


@dataclass(frozen=True)
class Series:
    """A series of one number per time. Times are ISO 8601 in UTC, such as 2026-01-31T00:00:00Z."""

    name: str
    tags: dict[str, str]
    values: dict[str, int]


class InfluxDb:
    """The server at `url` (http://10.0.0.9:8086), as one of its users; without a name, where it asks for none."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url.rstrip("/")
        auth = aiohttp.BasicAuth(user, password, "utf-8") if user else None
        self._http = aiohttp.ClientSession(auth=auth, timeout=aiohttp.ClientTimeout(total=TIMEOUT))

    async def query(self, database: str, query: str, params: Mapping[str, str]) -> list[Series]:
        """Return the series that all statements of the query select; `$name` in it stands for a value of `params`.

        Each must select the time and one number. A long series comes in several parts. Raises `InfluxDbUnavailable`
        or `InfluxDbRefused`.
        """
        # In chunks, because rows beyond the server's max-row-limit are left out of any other answer.
        parameters = {"db": database, "q": query, "params": json.dumps(params), "chunked": "true"}
        try:
            async with self._http.get(f"{self._url}/query", params=parameters) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise InfluxDbUnavailable(f"InfluxDB at {self._url} does not answer: {_reason(error)}") from error
        try:
            return [series for line in text.splitlines() for series in _read(json.loads(line))]
        except (ValueError, KeyError, TypeError) as error:
            raise InfluxDbRefused(
                f"what answers at {self._url} is no InfluxDB 1.x: status {response.status}"
            ) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _read(answer: dict[str, Any]) -> Iterator[Series]:
    """An error is in the body, whatever the status: of everything, or of one statement."""
    for part in (answer, *answer.get("results", [])):
        if "error" in part:
            raise InfluxDbRefused(f"InfluxDB says: {part['error']}")
    for result in answer["results"]:
        for found in result.get("series", []):
            values = {time: round(value or 0) for time, value in found["values"]}
            yield Series(found["name"], found.get("tags", {}), values)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
