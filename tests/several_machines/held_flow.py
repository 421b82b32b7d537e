"""A flow that a test holds in its middle, for as long as it likes."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from tests.waiting import eventually


@flow(name="held")
def held(begun: str, release: str) -> str:
    """Make the file `begun`, and end when there is a file `release`."""
    Path(begun).touch()
    eventually("the test lets it go", Path(release).exists, 300)
    return "ended by itself"
