"""Points of InfluxDB in its line protocol. https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BLANK = re.compile(r"\s")
_SPECIAL = re.compile(r"[,=]")


@dataclass(frozen=True)
class Point:
    """What a series is at some time."""

    name: str
    tags: Mapping[str, str]
    fields: Mapping[str, int | float]

    def line(self, common: Mapping[str, str], seconds: int) -> str:
        """The point at that time, in seconds since 1970, with these tags beside its own."""
        tags = {**common, **self.tags}
        series = ",".join(
            [_escaped(self.name), *(f"{_escaped(tag)}={_escaped(value)}" for tag, value in tags.items() if value)]
        )
        fields = ",".join(f"{name}={_number(value)}" for name, value in self.fields.items())
        return f"{series} {fields} {seconds}"


def _escaped(text: str) -> str:
    """Blanks as `_`, as our services tell them; a backslash at the end would swallow what follows."""
    return _SPECIAL.sub(r"\\\g<0>", _BLANK.sub("_", text.rstrip("\\")))


def _number(value: float) -> str:
    return f"{value}i" if isinstance(value, int) else repr(value)
