"""One HTTP POST to a server of our own network."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException

TIMEOUT = 5.0
LONGEST_REASON = 300

# No proxy of the environment leads to a server in our own network.
_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NoAnswer(Exception):
    """Nobody answers there; the text is the reason."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """The status of the answer, and the first 300 bytes of its text. Raises `NoAnswer`, after 5 s of silence too."""
    try:
        request = urllib.request.Request(url, body, dict(headers))  # noqa: S310  secrets and settings have http or https
        try:
            with _http.open(request, timeout=TIMEOUT) as answer:
                return answer.status, _text(answer.read(LONGEST_REASON))
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _text(error.read(LONGEST_REASON))
    except (OSError, HTTPException, ValueError) as error:  # the last for a host that can be none
        raise NoAnswer(str(getattr(error, "reason", error))) from None


def _text(body: bytes) -> str:
    return body.decode(errors="replace").strip()
