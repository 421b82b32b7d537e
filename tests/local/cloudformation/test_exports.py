"""Outputs that other stacks import, and the locks that come with it."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local.cloudformation.stacks import Stacks, unique


def exporter(export: str, value: str = "one") -> str:
    return f"""
Resources: {{Queue: {{Type: AWS::SQS::Queue}}}}
Outputs:
  Shared: {{Value: {value}, Export: {{Name: {export}}}}}
"""


def importer(export: str) -> str:
    return f"""
Resources:
  Setting: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: !ImportValue {export}}}}}
Outputs:
  Value: {{Value: !GetAtt Setting.Value}}
"""


def test_an_import_gives_the_exported_value(stacks: Stacks) -> None:
    export, name = unique("export"), unique("importer")
    exporting = stacks.create(exporter(export))
    assert stacks.outputs(stacks.create(importer(export), name))["Value"] == "one"
    listed = stacks.cloudformation.get_paginator("list_exports").paginate().build_full_result()["Exports"]
    assert {"ExportingStackId": exporting, "Name": export, "Value": "one"} in listed
    assert stacks.cloudformation.list_imports(ExportName=export)["Imports"] == [name]


def test_an_export_in_use_keeps_its_stack(stacks: Stacks) -> None:
    export, name = unique("export"), unique("importer")
    exporting = stacks.create(exporter(export))
    importing = stacks.create(importer(export), name)
    with pytest.raises(ClientError, match=f"Export {export} cannot be deleted as it is in use by {name}"):
        stacks.delete(exporting)
    stacks.delete(importing)
    assert stacks.delete(exporting) == "DELETE_COMPLETE"


@pytest.mark.parametrize(("value", "word"), [("two", "updated"), (None, "deleted")])
def test_an_export_in_use_keeps_its_value(stacks: Stacks, value: str | None, word: str) -> None:
    export, name = unique("export"), unique("importer")
    exporting = stacks.create(exporter(export))
    stacks.create(importer(export), name)
    changed = exporter(export, value) if value else exporter(unique("other"))
    assert stacks.update(exporting, changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.outputs(exporting)["Shared"] == "one"
    reasons = [reason for _, reason in stacks.events(exporting)]
    assert f"Export {export} cannot be {word} as it is in use by {name}" in reasons


def test_an_unused_export_may_change(stacks: Stacks) -> None:
    export = unique("export")
    exporting = stacks.create(exporter(export))
    assert stacks.update(exporting, exporter(export, "two")) == "UPDATE_COMPLETE"
    assert stacks.outputs(exporting)["Shared"] == "two"


def test_importing_what_nobody_exports_fails_the_resource(stacks: Stacks) -> None:
    export = unique("export")
    stack_id = stacks.create(importer(export))
    assert stacks.describe(stack_id)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stacks.events(stack_id, "Setting")[-1] == ("CREATE_FAILED", f"No export named {export} found.")


def test_an_export_name_is_taken_only_once(stacks: Stacks) -> None:
    export, name = unique("export"), unique("exporter")
    stacks.create(exporter(export), name)
    second = stacks.create(exporter(export))
    assert stacks.describe(second)["StackStatus"] == "ROLLBACK_COMPLETE"
    expected = f"Export with name {export} is already exported by stack {name}"
    assert expected in stacks.events(second)[1][1]
