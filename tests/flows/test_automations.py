"""Automations on a real Prefect server: installed from the folder, they tell a webhook of a run that failed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
import pytest
from prefect import flow, tags
from prefect.automations import Automation, DoNothing, EventTrigger
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.variables import Variable

from tasks.errors import NotFound, UsageError
from tyrell.automations import BLOCK, FOLDER, apply_automations

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

OURS = {f"tyrell-{file.stem}" for file in FOLDER.glob("*.yaml")}


class Told(BaseHTTPRequestHandler):
    """Remembers what is posted."""

    notes: Queue[dict[str, Any]] = Queue()

    def do_POST(self) -> None:
        """A notification."""
        self.notes.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def webhook(api: httpx.Client) -> Iterator[None]:
    """Somebody who is told, and the block and the variable that lead there; afterwards nobody is."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Told) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        CustomWebhookNotificationBlock(
            name="ops",
            url=f"http://127.0.0.1:{server.server_port}",
            json_data={"subject": "{{subject}}", "body": "{{body}}"},
        ).save("ops", overwrite=True)
        Variable.set(BLOCK, "custom-webhook/ops", overwrite=True)
        yield
        Variable.unset(BLOCK)
        apply_automations()
        server.shutdown()


def installed(api: httpx.Client) -> dict[str, dict[str, Any]]:
    """The automations of the server by name."""
    return {each["name"]: each for each in api.post("/automations/filter", json={}).json()}


def test_a_failed_run_of_a_deployment_is_told_and_one_of_a_terminal_is_not(api: httpx.Client, webhook: None) -> None:
    assert set(apply_automations()) == {f"created automation {name}" for name in OURS}

    @flow(name="fails", flow_run_name="fails in {place}")
    def fails(place: str) -> None:
        raise ValueError(f"it is broken in {place}")

    with pytest.raises(ValueError, match="broken"):
        fails("a terminal")
    with tags("tyrell"), pytest.raises(ValueError, match="broken"):
        fails("the UI")
    note = Told.notes.get(timeout=60)
    assert note["subject"] == "fails in the UI: Failed"
    assert "it is broken in the UI" in note["body"]
    assert "/runs/flow-run/" in note["body"]


def test_once_installed_nothing_changes_and_who_was_switched_off_stays_off(api: httpx.Client, webhook: None) -> None:
    apply_automations()
    off = installed(api)["tyrell-failed-run"]["id"]
    api.patch(f"/automations/{off}", json={"enabled": False}).raise_for_status()
    assert apply_automations() == ()
    assert not installed(api)["tyrell-failed-run"]["enabled"]


def test_a_changed_file_is_an_update_and_one_that_is_gone_a_removal(
    api: httpx.Client, webhook: None, tmp_path: Path
) -> None:
    apply_automations()
    Automation(name="of-somebody-else", trigger=EventTrigger(expect={"x"}), actions=[DoNothing()]).create()
    before = installed(api)["tyrell-failed-run"]
    text = (FOLDER / "failed-run.yaml").read_text().replace("prefect.flow-run.TimedOut, ", "")
    (tmp_path / "failed-run.yaml").write_text(text)
    removed = {f"removed automation {name}" for name in OURS - {"tyrell-failed-run"}}
    assert set(apply_automations(tmp_path)) == {"updated automation tyrell-failed-run", *removed}
    after = installed(api)
    assert set(after) == {"tyrell-failed-run", "of-somebody-else"}
    assert after["tyrell-failed-run"]["id"] == before["id"]
    assert set(after["tyrell-failed-run"]["trigger"]["expect"]) == {
        "prefect.flow-run.Failed",
        "prefect.flow-run.Crashed",
    }


def test_a_block_that_is_not_there_or_does_not_notify_changes_nothing(api: httpx.Client, webhook: None) -> None:
    Variable.set(BLOCK, "slack-webhook/nobody", overwrite=True)
    with pytest.raises(NotFound, match="notification block slack-webhook/nobody does not exist; write TYPE/NAME"):
        apply_automations()
    Secret(value="x").save("no-notification", overwrite=True)
    Variable.set(BLOCK, "secret/no-notification", overwrite=True)
    with pytest.raises(UsageError, match="block secret/no-notification does not notify"):
        apply_automations()
    assert not OURS & set(installed(api))
