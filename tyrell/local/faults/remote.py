"""The faults of a running cloud, from another process: the other end of `control.py`."""

from __future__ import annotations

import httpx

from tasks.errors import UsageError
from tyrell.local.faults.control import GIVEN, PATH
from tyrell.local.faults.model import Fault, Given
from tyrell.local.settings import Settings

TIMEOUT_SECONDS = 10


def add_fault(settings: Settings, fault: Fault) -> Given:
    """Have this go wrong from now on."""
    (given,) = _ask(settings, "POST", content=fault.model_dump_json())
    return given


def clear_faults(settings: Settings, number: int | None = None) -> list[Given]:
    """Take back one fault, or all; what was taken back. Raises UsageError when there is none of that number."""
    return _ask(settings, "DELETE", "" if number is None else f"/{number}")


def find_faults(settings: Settings) -> list[Given]:
    """Every fault that is on, with whom it has struck."""
    return _ask(settings, "GET")


def find_struck(settings: Settings, given: Given) -> tuple[str, ...]:
    """Whom a fault that is on has struck so far, oldest first."""
    (on,) = (each for each in find_faults(settings) if each.id == given.id)
    return on.struck


def _ask(settings: Settings, method: str, path: str = "", content: str | None = None) -> list[Given]:
    url = f"{settings.endpoint}{PATH}{path}"
    answer = httpx.request(method, url, content=content, timeout=TIMEOUT_SECONDS, trust_env=False)
    if answer.status_code == 400:
        raise UsageError(answer.text)
    return GIVEN.validate_json(answer.raise_for_status().content)
