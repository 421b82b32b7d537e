"""Sending lines to Loki. https://grafana.com/docs/loki/v3.2.x/reference/loki-http-api/#ingest-logs"""

from __future__ import annotations

import json
from collections.abc import Iterable

from link.logs.journal import Entry
from link.shared.posting import NoAnswer, post

TAKEN = 204
REFUSED = 400


class NotSent(Exception):
    """Loki has not taken the lines, this time; the text is one sentence."""


class LinesRefused(NotSent):
    """Loki will never take some of the lines, because they are too old or too long; it has all others."""


def push(url: str, labels: dict[str, str], entries: Iterable[Entry]) -> None:
    """Send entries: a stream of each unit, which has these labels and `unit`. Raises `NotSent`.

    Those that Loki has already it takes again, and keeps once.
    """
    streams: dict[str, list[list[str]]] = {}
    for entry in sorted(entries, key=lambda entry: entry.time):
        streams.setdefault(entry.unit, []).append([str(entry.time), entry.line])
    pushed = [{"stream": labels | {"unit": unit}, "values": values} for unit, values in streams.items()]
    body = json.dumps({"streams": pushed}).encode()
    try:
        status, said = post(f"{url}/loki/api/v1/push", body, {"Content-Type": "application/json"})
    except NoAnswer as error:
        raise NotSent(f"Loki at {url} does not answer: {error}") from None
    if status != TAKEN:
        refusal = LinesRefused if status == REFUSED else NotSent
        raise refusal(f"Loki at {url} answers {status}: {said or 'nothing'}")
