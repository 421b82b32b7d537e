"""The log shipper in its image, as the machine's program runs it: not root, in the group that may read the journal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from docker import DockerClient

from tasks.images import build_image
from tests.link.journals import JournalWriter
from tests.link.loki_server import Loki
from tests.waiting import eventually
from tyrell.local.debian import NotToBeHad

pytestmark = pytest.mark.docker

GROUP = 4242
"""Of the journal: no other one of the image's user."""
USER = 900


def test_the_shipper_of_the_image_sends_a_journal_that_only_its_group_may_read(
    engine: DockerClient, tmp_path: Path
) -> None:
    journal, state = tmp_path / "journal", tmp_path / "state"
    for folder in (journal, state):
        folder.mkdir()
    try:
        JournalWriter(journal).say("hello from the journal")
    except NotToBeHad as error:
        pytest.skip(f"no journal can be written: {error}")
    for path, mode in ((journal, 0o750), (journal / "system.journal", 0o640)):
        os.chown(path, 0, GROUP)
        path.chmod(mode)
    os.chown(state, USER, USER)
    loki = Loki()
    settings = {
        "JOURNAL": "/var/log/journal",
        "STATE_DIRECTORY": "/var/lib/log-shipper",
        "LOKI_URL": loki.url,
        "ZETTA_STACK": "lab",
        "LINK_INSTANCE_TYPE": "router",
        "ZETTA_VERSION": "v1",
        "INSTANCE_ID": "i-1",
    }
    image = build_image.fn("core-services").image
    with loki.running():
        shipper = engine.containers.run(
            image.id,
            entrypoint=["log-shipper"],
            environment=settings,
            network_mode="host",
            group_add=[str(GROUP)],
            volumes=[f"{journal}:/var/log/journal:ro", f"{state}:/var/lib/log-shipper"],
            detach=True,
        )
        try:
            eventually("the line to arrive", lambda: loki.texts == ["hello from the journal"], 30)
            eventually("the place in the journal to be kept", (state / "cursor").exists)
        finally:
            shipper.remove(force=True)
