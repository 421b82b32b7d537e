"""A stack's base is brought up to date under load; it was made by somebody who had another template."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner, Result

from flows.update_stack import update_stack
from tasks import clients
from tasks.change_sets import execute_change_set, make_change_set
from tasks.core_services import find_etcd
from tasks.errors import Conflict
from tasks.groups import find_groups
from tasks.locks import find_locks, keeping, take_lock
from tasks.model import Version
from tasks.renewals import find_renewal
from tasks.stacks import Blueprint, find_stack
from tasks.updates import Update
from tests.flows.embedded import Tyrell
from tests.flows.load import Load
from tests.flows.releases import bake
from tyrell.cli import app
from tyrell.local.state import read_state

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

Stack = dict[str, Any]
OTHER = "  OldQueue: {Type: AWS::SQS::Queue}\n"
"""Among the resources of the base: the repository has no such queue."""
NAMED = ("--allow-replace", "OldQueue")


def become(body: str) -> None:
    """The base is as that template says."""
    base = find_stack("demo")
    assert base
    change_set = make_change_set.fn(base, Blueprint(name="demo", template=body, tags=base.tags))
    if change_set:
        execute_change_set.fn(change_set)


@pytest.fixture(scope="module")
def older(stack: Stack) -> Iterator[None]:
    """The base has a queue that the repository has not, and other queues have another timeout; not so afterwards."""
    body = str(clients.cloudformation().get_template(StackName="demo")["TemplateBody"])
    other = body.replace("VisibilityTimeout: 1800", "VisibilityTimeout: 900")
    become(other.replace("Resources:\n", f"Resources:\n{OTHER}", 1))
    yield
    become(body)


@pytest.fixture(scope="module")
def cloud_runs(cloud: Tyrell, older: None) -> Iterator[None]:
    """Flows of this process are kept by the cloud's Prefect server."""
    with temporary_settings({PREFECT_API_URL: cloud.cloud_environment["PREFECT_API_URL"]}):
        yield


def update(*options: str) -> Result:
    """`tyrell stack update demo`, in this process."""
    return CliRunner().invoke(app, ["stack", "update", "demo", *options])


def last_words(done: Result) -> str:
    return done.stderr.strip().splitlines()[-1]


def change_sets() -> list[str]:
    listed = clients.cloudformation().list_change_sets(StackName="demo")["Summaries"]
    return [each["ChangeSetName"] for each in listed if each["ExecutionStatus"] != "EXECUTE_COMPLETE"]


def resources() -> dict[str, str]:
    """Physical ids by logical id."""
    listed = clients.cloudformation().describe_stack_resources(StackName="demo")["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}


def registry() -> dict[str, str]:
    """Digests of what the Link services keep in etcd, by key."""
    found = find_etcd("demo").contents().digests
    return {key: digest for key, digest in found.items() if not key.startswith("/tyrell/")}


def core_services() -> str:
    """The version of core-services that has machines."""
    (name,) = (group.version.id for group in find_groups("demo", "core-services") if group.desired)
    return name


def test_a_dry_run_shows_what_would_happen_and_leaves_nothing_behind(cloud_runs: None) -> None:
    before = resources()
    planned = json.loads(update("--dry-run", "--json", *NAMED).stdout)
    seen = {change["logical_id"]: (change["action"], change["replacement"]) for change in planned["changes"]}
    assert seen.pop("OldQueue") == ("Remove", "")
    assert seen.keys() >= {"DeviceDataQueue", "UsageQueue", "TargetRole"}, "the role names a queue by an attribute"
    assert set(seen.values()) == {("Modify", "False")}
    assert (planned["renewal"], planned["done"], resources(), change_sets()) == (None, [], before, [])


def test_what_was_not_named_does_not_go(cloud_runs: None) -> None:
    before = resources()
    refused = update("--yes")
    assert refused.exit_code == 2
    assert last_words(refused) == (
        "tyrell: the update of stack demo is refused and nothing was changed: OldQueue: not in the template any more;"
        " name what may go: --allow-replace LOGICAL_ID, once for each"
    )
    assert (resources(), change_sets()) == (before, [])


def test_bringing_the_stack_up_again_loses_nothing_either(cloud_runs: None) -> None:
    before = resources()
    refused = CliRunner().invoke(app, ["up", "demo"])
    assert refused.exit_code == 2
    assert "OldQueue: not in the template any more; `tyrell stack update` shows it all" in last_words(refused)
    assert (resources(), change_sets()) == (before, [])


def test_who_says_no_has_changed_nothing(cloud_runs: None) -> None:
    before = resources()
    asked = CliRunner().invoke(app, ["stack", "update", "demo", *NAMED], input="n\n")
    assert (asked.exit_code, "Do it? [y/N]" in asked.stderr) == (1, True)
    assert (resources(), change_sets()) == (before, [])


def test_another_change_of_the_stack_is_not_disturbed(cloud_runs: None) -> None:
    before = resources()
    lock = take_lock.fn("demo", "target", "something else", None)
    assert lock
    with keeping(lock):
        refused = update("--yes", *NAMED)
    assert (refused.exit_code, "target of stack demo is locked by" in last_words(refused)) == (1, True)
    assert (resources(), find_locks("demo")) == (before, ())


def test_nothing_is_done_but_what_was_agreed_to(cloud_runs: None) -> None:
    before = resources()
    agreed = Update(stack="demo", changes=(), renewal=None)
    with pytest.raises(Conflict, match="what the update of stack demo would do changed meanwhile: expected nothing"):
        update_stack("demo", allow_replace=("OldQueue",), yes=True, agreed=agreed)
    assert (resources(), change_sets()) == (before, [])


def test_under_load_the_base_is_updated_and_core_services_are_replaced_one_by_one(
    stack: Stack, cloud_runs: None
) -> None:
    old = core_services()
    with Load(str(stack["url"]), rate=60, sockets=5) as load:
        before = registry()
        updated = update("--yes", "--json", "--core-services", *NAMED)
        after = registry()
    assert updated.exit_code == 0, updated.stderr
    done = json.loads(updated.stdout)["done"]
    report = load.report()
    assert (len(report.failed), len(report.wrong_tenant), report.broken, report.gaps) == (0, 0, 0, []), str(report)
    assert len(report.requests) > 1000
    assert "updated stack demo" in done
    assert "OldQueue" not in resources()
    new = core_services()
    moved = [change.removeprefix("scaled core-services ") for change in done if change.startswith("scaled")]
    assert moved == [
        f"{name} from {size} to {size + step}"
        for size in range(3)
        for name, size, step in ((new, size, 1), (old, 3 - size, -1))
    ]
    assert any(change.startswith("etcd kept its data: ") for change in done)
    assert before == after


def test_afterwards_there_is_nothing_to_do(cloud_runs: None) -> None:
    assert update("--yes").stdout == "stack demo is as wanted: nothing to do\n"


def test_a_newer_machine_image_replaces_core_services_unless_they_are_to_stay(cloud: Tyrell, stack: Stack) -> None:
    state = read_state(cloud.home)
    assert state
    image = bake(state.settings, "newer")
    try:
        renewal = find_renewal("demo", None)
        assert renewal
        assert renewal.version == Version(stack="demo", role="core-services", id="newer")
        assert (renewal.release.ami, renewal.because) == (image, ("image:core-services",))
        assert find_renewal("demo", False) is None
    finally:
        clients.ec2().deregister_image(ImageId=image)


def test_the_old_core_services_can_be_taken_away(cloud_runs: None) -> None:
    (idle,) = (group.version.id for group in find_groups("demo", "core-services") if not group.desired)
    retired = CliRunner().invoke(app, ["retire", "core-services", idle, "--stack", "demo", "--force"])
    assert retired.exit_code == 0, retired.stderr
    assert len(find_groups("demo", "core-services")) == 1
