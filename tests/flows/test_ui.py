"""What people do in the Prefect UI: fill in a form, be refused, start an upgrade, watch it, approve it, look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from playwright.sync_api import Locator, Page, Response, expect
from playwright.sync_api import TimeoutError as Unnoticed

from tests.flows.browser import browser
from tests.flows.embedded import Tyrell
from tests.flows.prod import STACK, Prod, prod_stack
from tests.flows.releases import bake
from tests.flows.workers import started_worker
from tests.waiting import eventually
from tyrell.local.state import read_state

pytestmark = [pytest.mark.cloud, pytest.mark.flow, pytest.mark.browser]

AT_ONCE = "PT0S"
LONGEST = 300
"""Seconds."""
UNNOTICED_AFTER = 20_000
"""Milliseconds after which a button that led to no call is pressed again."""


@pytest.fixture(scope="module")
def prod(cloud: Tyrell) -> Iterator[Prod]:
    """The stack, its flows registered in Prefect, and a worker that runs them."""
    state = read_state(cloud.home)
    assert state
    with prod_stack(cloud, bake(state.settings, "first"), "first") as stack:
        cloud.ok("deployments", "apply", "--stack", STACK, timeout=300)
        with started_worker(cloud, "tyrell"):
            yield stack


@pytest.fixture
def page(prod: Prod) -> Iterator[Page]:
    """A browser."""
    with browser() as empty:
        yield empty


def runs(api: httpx.Client) -> dict[str, str]:
    """All upgrades, as Prefect knows them: their states by their names."""
    answer = api.post("/flow_runs/filter", json={"flows": {"name": {"any_": ["upgrade"]}}})
    return {run["name"]: run["state_type"] for run in answer.raise_for_status().json()}


def open_form(page: Page, api: httpx.Client) -> None:
    """The form that starts an upgrade of the stack."""
    deployment = api.get(f"/deployments/name/upgrade/{STACK}").raise_for_status().json()["id"]
    page.goto(f"{str(api.base_url).removesuffix('/api/')}/v2/deployments/deployment/{deployment}/run")
    page.get_by_role("button", name="Select role").click()
    page.get_by_role("option", name="router").click()


def press(page: Page, button: Locator, call: str) -> Response:
    """Press a button until the page makes that call; one that moves away under the pointer does not notice."""

    def called() -> Response | None:
        with suppress(Unnoticed):
            with page.expect_request(f"**{call}", timeout=UNNOTICED_AFTER) as request:
                button.click()
            return request.value.response()
        return None

    answer = eventually(f"{call} is called", called, LONGEST)
    assert answer
    return answer


def submit(page: Page) -> Response:
    """What the server says to the form."""
    return press(page, page.get_by_role("button", name="Submit"), "/create_flow_run")


def plan_in_steps_with_approval(page: Page) -> None:
    """The part of the form that says how: at once, judged by nobody, but asked before the last step."""
    page.get_by_role("tab", name="Rollout").click()
    page.get_by_role("textbox", name="Pause (Optional)").fill(AT_ONCE)
    page.get_by_role("textbox", name="Min Healthy Time (Optional)").fill(AT_ONCE)
    page.get_by_role("button", name="Add item").nth(1).click()
    page.get_by_role("spinbutton").nth(4).fill("100")
    page.get_by_role("tabpanel", name="Rollout").get_by_role("tab", name="None").click()


def test_an_upgrade_from_the_form_to_the_record_of_it(prod: Prod, page: Page, api: httpx.Client) -> None:
    open_form(page, api)
    expect(page.get_by_role("textbox", name="stack")).to_have_value(STACK)
    version = page.get_by_role("textbox", name="version (Optional)")

    before = runs(api)
    version.fill("No Version!")
    assert submit(page).status == httpx.codes.CONFLICT
    expect(page.get_by_text("'No Version!' does not match").first).to_be_visible()
    assert runs(api) == before

    version.fill("byhand")  # a name that no other test gives a version: runs have it, too
    plan_in_steps_with_approval(page)
    assert submit(page).status == httpx.codes.CREATED
    name = f"upgrade router to byhand on {STACK}"
    page.get_by_role("link", name=name).click()
    expect(page.get_by_text("Paused").first).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()  # the graph
    page.get_by_role("tab", name="Task Runs").click()
    expect(page.get_by_text("give router byhand 50 % of the traffic")).to_be_visible()
    assert prod.shares("router") == {"first": 50, "byhand": 50}

    page.get_by_role("button", name="Open menu").first.click()
    page.get_by_role("menuitem", name="Resume").click()
    answer = page.get_by_role("dialog")
    expect(answer.get_by_text("router of prod: 100 % to byhand?")).to_be_visible()
    answer.get_by_role("button", name="Select Decision").click()
    page.get_by_role("option", name="yes").click()
    answer.get_by_role("textbox", name="Approver").fill("ada")
    resumed = press(page, answer.get_by_role("button", name="Resume"), "/resume")
    assert resumed.json()["status"] == "ACCEPT", resumed.text()

    eventually("the upgrade to end", lambda: runs(api)[name] == "COMPLETED", LONGEST)
    page.reload()
    expect(page.get_by_text("Completed").first).to_be_visible()
    assert prod.shares("router") == {"byhand": 100}
    page.get_by_role("tab", name="Artifacts").click()
    for what in ("traffic", "timeline", "changes"):
        expect(page.get_by_text(f"{STACK}-router-{what}").first).to_be_visible()
