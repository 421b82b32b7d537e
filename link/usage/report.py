"""Usage as the API tells it: as Siren (https://github.com/kevinswiber/siren) or as CSV.

The names of properties and metrics are those of the original usage API.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from link.usage.influxdb import Series
from link.usage.period import AGGREGATIONS, Period, shown

METRICS = {
    "hub_http_count": "httpCount",
    "hub_messages_bytes": "messagesBytes",
    "hub_messages_count": "messagesCount",
}
"""The measurements in InfluxDB, and what they are called in a report."""

Siren = dict[str, Any]


class Report:
    """Usage in a period, by tenants (`tag` tenantId) or by the hubs of one (targetName)."""

    def __init__(self, period: Period, tag: str, series: Iterable[Series]) -> None:
        self._period = period
        self._used: dict[str, dict[str, dict[str, int]]] = defaultdict(
            lambda: defaultdict(lambda: dict.fromkeys(METRICS.values(), 0))
        )
        for one in series:
            for time, value in one.values.items():
                self._used[one.tags[tag]][period.bucket(time)][METRICS[one.name]] += value

    @property
    def properties(self) -> dict[str, int | str]:
        """The sum of everything, and the period."""
        sums = {
            metric: sum(used[metric] for dates in self._used.values() for used in dates.values())
            for metric in METRICS.values()
        }
        return sums | {"startDate": shown(self._period.start), "endDate": shown(self._period.end)}

    def of_tenants(self, base: str, url: str) -> Siren:
        """Return all tenants' usage, each with a link to its own. `base` is our URL, `url` that of the request."""
        items = [
            _item({"tenantId": tenant}, dates) | {"links": [_link("self", f"{base}/tenants/{quote(tenant, safe='')}")]}
            for tenant, dates in sorted(self._used.items())
        ]
        return _entity("root", self.properties, items, url)

    def of_hubs(self, tenant: str, url: str) -> Siren:
        """Return the usage of a tenant's hubs."""
        items = [_item({"hubId": hub, "tenantId": tenant}, dates) for hub, dates in sorted(self._used.items())]
        return _entity("tenant", {"tenantId": tenant} | self.properties, items, url)

    def as_csv(self, column: str) -> str:
        """Return a line for each metric of each tenant or hub (which `column` is called), with a column per date."""
        dates = sorted({date for used in self._used.values() for date in used})
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow([column, "metric", *dates])
        for name, used in sorted(self._used.items()):
            for metric in METRICS.values():
                lines.writerow([name, metric, *(used[date][metric] for date in dates)])
        return text.getvalue()


def _entity(kind: str, properties: dict[str, Any], items: list[Siren], url: str) -> Siren:
    fields = [
        {"name": "startDate", "type": "date"},
        {"name": "endDate", "type": "date"},
        {"name": "aggregation", "type": "radio", "value": [{"value": name} for name in AGGREGATIONS]},
    ]
    form = {"name": "query", "href": url, "method": "GET", "type": "application/x-www-form-urlencoded"}
    return {
        "class": [kind],
        "properties": properties,
        "entities": items,
        "actions": [form | {"fields": fields}],
        "links": [_link("self", url), _link("alternate", url, type="text/csv")],
    }


def _item(properties: dict[str, str], used: dict[str, dict[str, int]]) -> Siren:
    data = [{"date": date, **metrics} for date, metrics in sorted(used.items())]
    return {"class": ["usage"], "rel": ["item"], "properties": properties | {"data": data}}


def _link(rel: str, href: str, **more: str) -> Siren:
    return {"rel": [rel], "href": href} | more
