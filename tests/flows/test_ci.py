"""CI releases through the Prefect API: what runs is a worker's, and CI only starts, follows and cancels it."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tasks import clients
from tasks.bakeries import COMMAND
from tasks.calendar import Calendar
from tasks.calendar_store import clear_calendar, save_calendar
from tasks.locks import holding
from tests.flows.embedded import Tyrell
from tests.flows.prod import STACK, Prod, prod_stack
from tests.flows.releases import bake
from tests.flows.workers import CiJob, worker
from tests.waiting import eventually
from tyrell.local.state import read_state

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

SOON = 120
ROUTER = (f"stack={STACK}", 'roles=["router"]')
AT_ONCE = {"strategy": "canary", "steps": [10, 100], "pause": "PT0S", "min_healthy_time": "PT0S", "gate": None}


@pytest.fixture(scope="module")
def prod(cloud: Tyrell) -> Iterator[Prod]:
    """The stack, made of release `first`; a worker whose checkout holds release `second`."""
    state = read_state(cloud.home)
    assert state
    bakery = " ".join([sys.executable, "-m", "tests.flows.bakery", "second"])
    entrypoints = ("flows/release.py:release", "flows/scale.py:scale")
    with (
        prod_stack(cloud, bake(state.settings, "first"), "first") as stack,
        worker(cloud, *entrypoints, **{COMMAND: bakery}),
    ):
        yield stack
    found = clients.ec2().describe_images(Filters=[{"Name": "tag:tyrell:release", "Values": ["first", "second"]}])
    for image in found["Images"]:  # no other test's newest image
        clients.ec2().deregister_image(ImageId=image["ImageId"])


@pytest.fixture
def ci(prod: Prod, tmp_path: Path) -> CiJob:
    """A CI machine."""
    return CiJob(prod.cloud, tmp_path)


@pytest.fixture
def frozen(prod: Prod) -> Iterator[None]:
    """Nothing may be changed."""
    begin = datetime.now(UTC) - timedelta(hours=1)
    freeze = {"from": begin.isoformat(), "until": "2099-01-01T08:00", "reason": "audit"}
    save_calendar(STACK, Calendar.model_validate({"freezes": [freeze]}))
    yield
    clear_calendar(STACK)


FROZEN = "prod is frozen until 2099-01-01 08:00 UTC (audit)"


def run_of(said: str) -> str:
    """The id of the run whose address was printed."""
    found = re.search(r"flow-run/([0-9a-f-]{36})", said)
    assert found, said
    return found[1]


def test_a_pull_request_is_a_plan_that_changes_nothing(prod: Prod, ci: CiJob) -> None:
    code, said = ci.ended("release/ci", *ROUTER, "dry_run=true")
    assert code == 0, said
    assert "create second beside first" in said
    assert prod.shares("router") == {"first": 100}


@pytest.mark.usefixtures("frozen")
def test_a_release_in_a_freeze_fails_with_the_reason_and_makes_nothing(prod: Prod, ci: CiJob) -> None:
    code, said = ci.ended("release/ci", *ROUTER)
    assert code == 1, said
    assert f"{FROZEN}, so no release may begin" in said
    assert prod.shares("router") == {"first": 100}
    for command in (
        ("upgrade", "router", "--to", "second"),
        ("switch", "router", "first"),
        ("scale", "router", "3"),
        ("retire", "router", "second"),
    ):
        assert FROZEN in prod.refused(*command, code=2)
    assert FROZEN in prod.cloud.run("down", STACK, "--yes").stderr


@pytest.mark.usefixtures("frozen")
def test_who_goes_past_the_calendar_says_why_and_that_is_kept(prod: Prod) -> None:
    prod.ok("scale", "router", "3", "--override-calendar", "ticket 7")
    url = f"{prod.cloud.cloud_environment['PREFECT_API_URL']}/artifacts/{STACK}-override/latest"
    kept = httpx.get(url, trust_env=False).raise_for_status().json()["data"]
    assert kept == "scale of prod went on though it is frozen until 2099-01-01 08:00 UTC (audit): ticket 7"


def test_two_jobs_for_one_commit_are_one_release_that_a_person_approves(prod: Prod, ci: CiJob) -> None:
    plans = json.dumps({"router": AT_ONCE | {"approve_before": [100]}})
    words = ("release/ci", *ROUTER, f"plans={plans}", "--commit", "c0ffee")
    one, two = ci.started(*words), ci.started(*words)
    eventually("the run to ask", lambda: prod.run("approve", "router", "--note", "fine").exit_code == 0, SOON)
    (said, _), (also, _) = one.communicate(timeout=SOON), two.communicate(timeout=SOON)
    assert (one.returncode, two.returncode) == (0, 0), said + also
    assert run_of(said) == run_of(also)
    assert "nobody has answered yet; the Prefect UI and `tyrell approve` can" in said
    assert prod.shares("router") == {"second": 100}


def test_a_run_that_nobody_approves_in_time_fails_and_goes_back(prod: Prod, ci: CiJob) -> None:
    prod.ok("rollback", "router")
    before = prod.live("router")
    plans = json.dumps({"router": AT_ONCE | {"approve_before": [100], "approval_timeout": "PT2S"}})
    code, said = ci.ended("release/ci", *ROUTER, f"plans={plans}", "force=true", "--commit", "c0ffee")
    assert code == 1, said
    assert "nobody answered within 0:00:02" in said
    assert prod.shares("router") == {before: 100}


def test_a_job_that_is_cancelled_cancels_its_run(prod: Prod, ci: CiJob) -> None:
    with holding(STACK, "router", "a test"):
        job = ci.started("scale/ci", f"stack={STACK}", "role=router", "size=2", "wait=PT10M")
        assert job.stdout
        said = ""
        while "waiting for the lock" not in said:
            line = job.stdout.readline()
            assert line, said
            said += line
        job.send_signal(signal.SIGTERM)
        rest, _ = job.communicate(timeout=SOON)
    assert job.returncode == 1
    assert "told to stop: cancelling the run" in rest
    assert "cancelled: " in rest
    url = f"{prod.cloud.cloud_environment['PREFECT_API_URL']}/flow_runs/{run_of(said)}"
    assert httpx.get(url, trust_env=False).raise_for_status().json()["state"]["type"] == "CANCELLED"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("scale/ci", f"stack={STACK}", "role=router", 'size="x"'), "Validation failed for field 'size'"),
        (("scale/ci", f"stack={STACK}", "rol=router", "size=2"), "there is no parameter 'rol'; there are stack, role"),
        (("scale/nosuch",), "release/ci, scale/ci"),
    ],
)
def test_what_cannot_be_asked_for_is_exit_code_2_and_no_run(ci: CiJob, words: tuple[str, ...], sentence: str) -> None:
    code, said = ci.ended(*words)
    assert code == 2, said
    assert sentence in said
    assert "flow-run/" not in said


def test_without_a_server_it_says_so(ci: CiJob) -> None:
    ci.environment["PREFECT_API_URL"] = "http://127.0.0.1:9/api"
    code, said = ci.ended("release/ci")
    assert code == 1
    assert said.startswith("tyrell: the Prefect server at http://127.0.0.1:9/api does not answer")
    assert said.count("\n") == 1
