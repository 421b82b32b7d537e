"""The usage API: what the tenants of this stack have used, by day or month, as InfluxDB has added it up.

`GET /` tells of all tenants, `GET /tenants/<id>` of the hubs of one; startDate and endDate (ISO 8601) say when,
aggregation (day or month) how. The answer is Siren, or CSV for who accepts `text/csv`. Both are below `/usage` as well,
where a balancer has them beside other services.

Where InfluxDB is, and as whom to read, is in the secret tyrell/ZETTA_STACK/usage; without it the service ends.

Settings: COREOS_PRIVATE_IPV4, PORT (4000), ZETTA_STACK, AWS_REGION (us-east-1).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import hdrs, web

from link.shared import service
from link.shared.access import Access, Secret
from link.shared.environment import Environment
from link.usage.influxdb import InfluxDb, InfluxDbRefused, InfluxDbUnavailable, Series
from link.usage.period import Period, PeriodInvalid, shown
from link.usage.report import METRICS, Report, Siren

BELOW = "/usage"
CSV, SIREN, JSON = "text/csv", "application/vnd.siren+json", "application/json"


class UsageApi:
    """Answers every request with what InfluxDB says at that moment."""

    def __init__(self, access: Access, stack: str) -> None:
        self._influxdb = InfluxDb(access.url, access.username, access.password)
        self._database = access.database
        self._stack = stack
        self._was_asked = False

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Keep the connections for as long as the application runs."""
        yield
        await self._influxdb.close()

    async def health(self, _request: web.Request) -> web.Response:
        """200 once InfluxDB has answered us; when it is lost later, every other of us has lost it, too."""
        if not self._was_asked:
            await self._usage("tenantId", Period.from_query({}, datetime.now(UTC)))
        return web.json_response({"status": "ok"})

    async def tenants(self, request: web.Request) -> web.Response:
        """The usage of all tenants."""
        period = Period.from_query(request.query, datetime.now(UTC))
        report = Report(period, "tenantId", await self._usage("tenantId", period))
        base = f"{request.scheme}://{request.host}{request.path.rstrip('/')}"
        return _answer(request, report, "tenant", report.of_tenants(base, str(request.url)))

    async def tenant(self, request: web.Request) -> web.Response:
        """The usage of one tenant's hubs; of a tenant that nobody knows there is none."""
        tenant = request.match_info["tenant"]
        period = Period.from_query(request.query, datetime.now(UTC))
        report = Report(period, "targetName", await self._usage("targetName", period, tenant))
        return _answer(request, report, "hub", report.of_hubs(tenant, str(request.url)))

    async def _usage(self, tag: str, period: Period, tenant: str = "") -> list[Series]:
        """The sums of each day, for each value of the tag."""
        which = "link_stack = $stack AND time >= $start AND time <= $end" + (
            " AND tenantId = $tenant" if tenant else ""
        )
        query = "; ".join(
            f'SELECT SUM(total) FROM {measurement} WHERE {which} GROUP BY "{tag}", time(1d) fill(0)'  # noqa: S608
            for measurement in METRICS
        )
        values = {"stack": self._stack, "start": shown(period.start), "end": shown(period.end), "tenant": tenant}
        series = await self._influxdb.query(self._database, query, values)
        self._was_asked = True
        return series


def _answer(request: web.Request, report: Report, column: str, siren: Siren) -> web.Response:
    accepted = request.headers.get(hdrs.ACCEPT, "")
    if CSV in accepted:
        return web.Response(text=report.as_csv(column), content_type=CSV)
    return web.json_response(siren, content_type=SIREN if SIREN in accepted else JSON)


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What can not be answered is told in one sentence."""
    try:
        return await handler(request)
    except PeriodInvalid as error:
        return web.json_response({"error": str(error)}, status=400)
    except InfluxDbRefused as error:
        return web.json_response({"error": str(error)}, status=502)
    except InfluxDbUnavailable as error:
        return web.json_response({"error": str(error)}, status=503)


def application(access: Access, stack: str) -> web.Application:
    """The usage API of that stack, in the database that `access` leads to."""
    api = UsageApi(access, stack)
    app = service.new_app()
    app.middlewares.append(_errors)
    app.cleanup_ctx.append(api.running)
    app.router.add_get("/health", api.health)
    for root in ("/", BELOW):
        app.router.add_get(root, api.tenants)
        app.router.add_get(f"{root.rstrip('/')}/tenants/{{tenant}}", api.tenant)
    return app


def build(environment: Environment) -> web.Application:
    """Return the usage API as the environment and the stack's secret describe it. Raises `SecretUnusable`."""
    return application(Secret(environment, "usage").read(), environment.text("ZETTA_STACK"))


if __name__ == "__main__":
    service.run("usage-api", ("PORT", 4000), build)
