"""What is in a message, as `link.zetta.samples` wrote it: readings of a tenant, each of them one JSON line."""

import json
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from link.zetta.samples import TENANT_HEADER

KINDS = ("device", "usage")
# A part of an S3 key that every tool takes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
YEAR_10000 = 253_402_300_800_000  # milliseconds since 1970


class Unparseable(Exception):
    """A message is not what a target writes; the text says why."""


class Reading(NamedTuple):
    """One line of a tenant, and when it was read: milliseconds since 1970 by the clock of its target."""

    tenant: str
    when: int
    line: bytes

    @property
    def day(self) -> str:
        """Its UTC day as it stands in keys: <yyyy>/<m>/<d>, not padded."""
        date = datetime.fromtimestamp(self.when / 1000, UTC)
        return f"{date.year}/{date.month}/{date.day}"


def parse(kind: str, body: str) -> list[Reading]:
    """Return the readings of a message; raises `Unparseable`.

    A device message is an array of readings {timestamp, tags}, a usage message is one object {upload, headers}.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unparseable(f"it is not JSON: {str(error) or type(error).__name__}") from None
    if kind == "usage":
        return [_reading(content, "headers", TENANT_HEADER, "upload")]
    if not isinstance(content, list):
        raise Unparseable("it is not an array of readings")
    return [_reading(one, "tags", f"req-header-{TENANT_HEADER}", "timestamp") for one in content]


def _reading(content: Any, names: str, tenant_name: str, time_name: str) -> Reading:
    if not isinstance(content, dict) or not isinstance(content.get(names), dict):
        raise Unparseable(f"a reading is not an object with {names}")
    tenant, when = content[names].get(tenant_name), content.get(time_name)
    if not isinstance(tenant, str) or not SAFE_NAME.fullmatch(tenant):
        raise Unparseable(f"{names}.{tenant_name} is {str(tenant)[:80]!r}, which is no safe name for a tenant")
    if isinstance(when, bool) or not isinstance(when, int | float) or not 0 <= when < YEAR_10000:
        raise Unparseable(f"{time_name} is {str(when)[:80]!r}, not milliseconds since 1970")
    try:
        line = json.dumps(content, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise Unparseable(f"a reading is not JSON: {error}") from None
    return Reading(tenant, int(when), line.encode())
