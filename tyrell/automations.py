"""Automations as code: each file in `deployments/automations` is an automation of the Prefect server, named after it.

Such a file is what `prefect automation create --from-file` takes, without a name, and, where it notifies, without a
block.
https://docs.prefect.io/v3/concepts/automations
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound
from pydantic import ValidationError

from tasks.errors import NotFound, UsageError
from tasks.link_modules import ROOT
from tasks.model import Changes

logger = logging.getLogger(__name__)

FOLDER = ROOT / "deployments" / "automations"
PREFIX = "tyrell-"
"""Of the names of ours; all others are left alone."""
BLOCK = "tyrell_notification_block"
"""The Prefect variable that says whom to tell: the type and the name of a block that notifies, `slack-webhook/ops`."""
UNSENT = {"owner_resource"}
"""What the server does not take in an update."""
NOTIFIES = SendNotification.model_fields["type"].default


def apply_automations(folder: Path = FOLDER) -> Changes:
    """Have the automations of the folder on the Prefect server, and no others of ours. Returns what changed.

    Those that notify are there when the variable `BLOCK` names a block. One that was switched off in the UI stays off.
    Raises UsageError for a file that is no automation, or a block that does not notify; then nothing has changed.
    """
    with get_client(sync_client=True) as client:
        block = _find_block(client)
        loaded = {file.stem: load_automation(file, block) for file in sorted(folder.glob("*.yaml"))}
        if left_out := [name for name, automation in loaded.items() if automation is None]:
            logger.warning("nobody is told of %s: the Prefect variable %s names no block", ", ".join(left_out), BLOCK)
        there = {each.name: each for each in client.read_automations() if each.name.startswith(PREFIX)}
        changes: Changes = ()
        for automation in filter(None, loaded.values()):
            changes += _upsert(client, automation, there.pop(automation.name, None))
        for gone in there.values():
            client.delete_automation(gone.id)
            changes += (f"removed automation {gone.name}",)
    return changes


def load_automation(file: Path, block: str) -> AutomationCore | None:
    """The automation of a file, which notifies through the block of that id; None when it notifies and there is none.

    Raises UsageError.
    """
    try:
        given: dict[str, Any] = yaml.safe_load(file.read_text())
        notifying = [action for action in given["actions"] if action["type"] == NOTIFIES]
        if notifying and not block:
            return None
        for action in notifying:
            action["block_document_id"] = block
        automation = AutomationCore.model_validate({"name": f"{PREFIX}{file.stem}", **given})
        unknown = given["trigger"].keys() - type(automation.trigger).model_fields.keys()
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise UsageError(f"{file} is no automation: {' '.join(str(error).split())}") from None
    unknown |= given.keys() - AutomationCore.model_fields.keys()
    if unknown:  # Prefect ignores them
        raise UsageError(f"{file} is no automation: nobody knows its {', '.join(sorted(unknown))}")
    return automation


def _find_block(client: SyncPrefectClient) -> str:
    """The id of the block that the variable names; empty without the variable."""
    variable = client.read_variable_by_name(BLOCK)
    if variable is None:
        return ""
    kind, _, name = str(variable.value).partition("/")
    try:
        block = client.read_block_document_by_name(name, kind)
    except ObjectNotFound:
        raise NotFound(
            f"notification block {variable.value}", f"write TYPE/NAME of one into the Prefect variable {BLOCK}"
        ) from None
    if block.block_schema is None or "notify" not in block.block_schema.capabilities:
        raise UsageError(f"block {variable.value} does not notify; name another in the Prefect variable {BLOCK}")
    return str(block.id)


def _upsert(client: SyncPrefectClient, wanted: AutomationCore, there: Automation | None) -> Changes:
    if there is None:
        client.create_automation(wanted)
        return (f"created automation {wanted.name}",)
    wanted = wanted.model_copy(update={"enabled": there.enabled})
    if _whole(there) == _whole(wanted):
        return ()
    client.update_automation(there.id, _whole(wanted))
    return (f"updated automation {wanted.name}",)


def _whole(automation: AutomationCore) -> AutomationCore:
    """With every default as if it were given: an update sends nothing else, and the server wants them all."""
    return AutomationCore.model_validate(automation.model_dump(include=set(AutomationCore.model_fields) - UNSENT))
