"""From a checkout to traffic on a whole stack: which roles a release concerns, and what a bad one leaves."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import httpx
import pytest

from tasks import clients
from tasks.bakeries import COMMAND
from tests.flows.embedded import Tyrell
from tests.flows.load import Load
from tests.flows.prod import QUICK, STACK, UNJUDGED, Prod, prod_stack
from tests.flows.releases import bake
from tyrell.local.state import read_state

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

ROLES = ("router", "target")


@pytest.fixture(scope="module")
def prod(cloud: Tyrell) -> Iterator[Prod]:
    """The stack, made of release `one`."""
    state = read_state(cloud.home)
    assert state
    ami = bake(state.settings, "one")
    with prod_stack(cloud, ami, "one") as stack:
        yield stack
    found = clients.ec2().describe_images(Filters=[{"Name": "tag:tyrell:release", "Values": ["one", "two", "crashes"]}])
    for image in found["Images"]:  # no other test's newest image
        clients.ec2().deregister_image(ImageId=image["ImageId"])


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """What lies in the checkout, as far as the bakery is concerned."""
    return Checkout(monkeypatch)


class Checkout:
    """Says which release the bakery makes."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        self._patched = patched

    def holds(self, *release: str) -> None:
        """From now on it holds that release: its name, and perhaps a fault and the role that has it."""
        self._patched.setenv(COMMAND, " ".join([sys.executable, "-m", "tests.flows.bakery", *release]))


def record(prod: Prod) -> dict[str, str]:
    """What became of each role, as the last release's artifact says."""
    url = f"{prod.cloud.cloud_environment['PREFECT_API_URL']}/artifacts/{STACK}-release/latest"
    rows = json.loads(httpx.get(url, trust_env=False).raise_for_status().json()["data"])
    return {row["role"]: row["result"] for row in rows}


def test_a_release_of_what_runs_already_changes_nothing(prod: Prod, checkout: Checkout) -> None:
    checkout.holds("one")
    assert prod.changes("release") == []
    assert set(record(prod).values()) == {"one is made of the same"}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(prod: Prod, checkout: Checkout) -> None:
    checkout.holds("two")
    said = prod.ok("release", *ROLES, "--dry-run").splitlines()
    assert [line.split()[:5] for line in said[1:]] == [
        [role, "create", "two", "beside", "one,"] for role in ("target", "router")
    ]
    assert "2 machines run twice until one has been idle for 1:00:00; changed: image:target" in said[1]
    assert {role: prod.shares(role) for role in ROLES} == {role: {"one": 100} for role in ROLES}


def test_a_release_upgrades_its_roles_one_after_the_other_and_nobody_notices(prod: Prod, checkout: Checkout) -> None:
    checkout.holds("two")
    with Load(prod.url, rate=60, sockets=10) as load:  # the gate would judge the speed of this machine as well
        changes = prod.changes("release", *ROLES, *QUICK, "--no-gate", "--window", "0")
    report = load.report()
    assert (len(report.failed), len(report.wrong_tenant), report.broken) == (0, 0, 0), str(report)
    assert {role: prod.shares(role) for role in ROLES} == {role: {"two": 100} for role in ROLES}
    assert changes.index("switched target from one to two") < changes.index("gave router two 100 % of the traffic")
    assert record(prod) == dict.fromkeys(ROLES, "two took over from one")


def test_a_release_that_fails_stops_there_and_leaves_every_role_whole(prod: Prod, checkout: Checkout) -> None:
    before = {role: prod.live(role) for role in ROLES}
    checkout.holds("crashes", "crash", "target")
    said = prod.refused("release", *ROLES, *UNJUDGED, code=1)
    assert said.startswith(f"tyrell: rolled target crashes back to target {before['target']}: target crashes is bad")
    assert {role: prod.live(role) for role in ROLES} == before
    assert record(prod) == {"target": f"failed, {before['target']} serves", "router": "not begun"}


def test_a_role_that_is_not_at_work_cannot_be_released(prod: Prod, checkout: Checkout) -> None:
    checkout.holds("two")
    assert prod.run("release", "nosuch").exit_code == 2
    assert "role 'nosuch'" in prod.run("release", "nosuch").stderr
