"""What a target tells about its tenant's hubs, which InfluxDB adds up to the tenant's usage."""

from collections.abc import Callable

from aiohttp import web

from link.shared.statsd import Statsd
from link.zetta.samples import TENANT_HEADER


class Usage:
    """Counts what hubs do and are asked, under the names and tags of the original target.

    `tenant` is asked for the target's tenant when a request does not name it; as long as nobody knows it, nothing is
    counted.
    """

    def __init__(self, server: str, statsd: Statsd, tenant: Callable[[], str | None]) -> None:
        self._server = server
        self._statsd = statsd
        self._tenant = tenant

    def count(self, request: web.Request, name: str, value: int = 1, **tags: str) -> None:
        """Count for the hub that made the request, or for the server that it asks."""
        tenant = request.headers.get(TENANT_HEADER) or self._tenant()
        if tenant:
            self._statsd.count(name, value, tenantId=tenant, targetName=_hub(request), **tags)

    async def answering(self, request: web.Request, response: web.StreamResponse) -> None:
        """Count a request that asks our server, unless we failed; for aiohttp's `on_response_prepare`."""
        if request.match_info.get("server") == self._server and response.status < 500:
            self.count(request, "linkusage.hub.http.count", reqType="proxy")


def _hub(request: web.Request) -> str:
    return request.match_info.get("name") or request.match_info["server"]
