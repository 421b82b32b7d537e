"""A person's browser: Chromium without a screen, which reaches nothing but this machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route, expect, sync_playwright

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
PATIENCE = 120_000
"""Milliseconds that anything may take to show."""


@contextmanager
def browser() -> Iterator[Page]:
    """An empty page. Needs Debian's package chromium."""
    chromium = shutil.which("chromium")
    assert chromium, "no chromium on this machine; Debian has it: apt install chromium"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=chromium, args=list(QUIET), viewport={"width": 1400, "height": 1000}
        )
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        context.route("**/*", _stay_here)
        yield context.new_page()
        context.close()


def _stay_here(route: Route) -> None:
    """The page of Prefect also asks for statistics elsewhere."""
    if urlsplit(route.request.url).hostname == "127.0.0.1":
        route.continue_()
    else:
        route.abort()
