"""The files of automations are what they look like; a broken one is named before anything is installed."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from prefect.events.schemas.automations import EventTrigger

from tasks.errors import UsageError
from tasks.events import Event
from tyrell.automations import FOLDER, load_automation

BLOCK = str(uuid4())
FILES = sorted(FOLDER.glob("*.yaml"))
GOOD = {"trigger": {"expect": ["tyrell.stack.up"]}, "actions": [{"type": "send-notification", "body": "It is up."}]}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_automation_waits_for_events_that_there_are_and_tells_the_block(file: Path) -> None:
    automation = load_automation(file, BLOCK)
    assert automation
    assert automation.name == f"tyrell-{file.stem}"
    assert automation.description
    assert {str(getattr(action, "block_document_id", "")) for action in automation.actions} == {BLOCK}
    assert isinstance(automation.trigger, EventTrigger)
    ours = {event for event in automation.trigger.expect if event.startswith("tyrell.")}
    assert ours <= {event.title for event in Event}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_without_a_block_nobody_is_notified(file: Path) -> None:
    assert load_automation(file, "") is None


def test_what_notifies_nobody_needs_no_block(tmp_path: Path) -> None:
    file = tmp_path / "quiet.yaml"
    file.write_text(yaml.safe_dump(GOOD | {"actions": [{"type": "cancel-flow-run"}]}))
    automation = load_automation(file, "")
    assert automation
    assert automation.name == "tyrell-quiet"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is no automation: while parsing"),
        ("- a list", "is no automation"),
        ("trigger: {}", "is no automation: 'actions'"),
        (yaml.safe_dump(GOOD | {"actions": [{"type": "shout"}]}), "is no automation: .*shout"),
        (yaml.safe_dump(GOOD | {"aktions": []}), "nobody knows its aktions"),
        (yaml.safe_dump(GOOD | {"trigger": {"expekt": ["tyrell.stack.up"]}}), "nobody knows its expekt"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=sentence) as refused:
        load_automation(file, BLOCK)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)
