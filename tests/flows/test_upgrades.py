"""Upgrades on the embedded cloud, under load, with good releases and really bad ones.

Every test starts where the one before ended: with some version live that has all the traffic.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from flows.upgrade import upgrade
from tasks import clients
from tasks.errors import RolledBack
from tasks.groups import find_groups
from tasks.locks import find_locks
from tasks.marks import HOT_UNTIL, pin
from tasks.metrics import period
from tasks.model import Group
from tasks.rollouts import Gate, Rollout
from tests.flows.embedded import Tyrell
from tests.flows.load import Load
from tests.flows.prod import QUICK, STACK, UNJUDGED, Prod, prod_stack
from tests.flows.releases import Fault, bake
from tests.waiting import eventually
from tyrell.local.link_image import etcd_binaries
from tyrell.local.state import read_state

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

SOON = 90
"""Seconds."""
FAULTS = {"rcrash": ("router", Fault.crash), "rerrors": ("router", Fault.errors), "rliar": ("router", Fault.liar)}
FAULTS["rslow"] = ("router", Fault.slow)
FAULTS |= {"terrors": ("target", Fault.errors), "tslow": ("target", Fault.slow)}


@pytest.fixture(scope="module")
def images(cloud: Tyrell) -> Iterator[dict[str, str]]:
    """AMIs by release: `blue` and `green` are good, the others have the fault they are named after."""
    state = read_state(cloud.home)
    assert state
    baked = {name: bake(state.settings, name, fault, role) for name, (role, fault) in FAULTS.items()}
    baked |= {name: bake(state.settings, name) for name in ("blue", "green")}
    yield baked
    for image in baked.values():  # no other test's newest image
        clients.ec2().deregister_image(ImageId=image)


@pytest.fixture(scope="module")
def prod(cloud: Tyrell, images: dict[str, str]) -> Iterator[Prod]:
    """The stack, made of release `blue`."""
    with prod_stack(cloud, images["blue"], "blue") as stack:
        yield stack


def other(live: str) -> str:
    """The good release that is not live."""
    return "green" if live == "blue" else "blue"


@pytest.mark.parametrize("role", ["router", "target"])
def test_an_upgrade_under_load_fails_no_request_and_moves_every_websocket(prod: Prod, role: str) -> None:
    before = prod.live(role)
    steps = ("--steps", "10,50,100") if role == "router" else ()
    with Load(prod.url, rate=60, sockets=10) as load:
        changes = prod.changes("upgrade", role, "--to", other(before), *QUICK, *steps)
    report = load.report()
    assert (len(report.failed), len(report.wrong_tenant), report.broken) == (0, 0, 0), str(report)
    assert len(report.requests) > 100
    assert {gap.reason for gap in report.gaps} == {"closed with 1001"}
    assert len(report.gaps) >= 10
    assert report.longest_gap < 5
    assert prod.shares(role) == {other(before): 100}
    assert changes[-1] == f"{role} {before} stays up for 1:00:00"
    assert prod.is_left_alone(role, before)
    assert prod.is_left_alone(role, other(before))
    assert prod.standing(role, before).state.startswith("can take over at once until")


def test_the_run_leaves_a_picture_of_it_and_what_it_waited_for(prod: Prod) -> None:
    artifacts = httpx.post(
        f"{prod.cloud.cloud_environment['PREFECT_API_URL']}/artifacts/latest/filter", json={}, trust_env=False
    ).json()
    by_key = {artifact["key"]: artifact for artifact in artifacts}
    assert by_key[f"{STACK}-router-timeline"]["data"].startswith("data:image/svg+xml;base64,")
    assert "router green to be healthy" in by_key[f"{STACK}-router-waiting"]["data"]
    assert "gave router green 50 % of the traffic" in by_key[f"{STACK}-router-changes"]["data"]
    assert json.loads(by_key[f"{STACK}-router-traffic"]["data"]) == [
        {"version": "blue", "before": "100 %", "after": "0 %"},
        {"version": "green", "before": "0 %", "after": "100 %"},
    ]


def events(prod: Prod, version: str) -> list[dict[str, Any]]:
    """What was told of a version of the router, the oldest first."""
    wanted = {"filter": {"resource": {"id": [f"tyrell.version.{STACK}.router.{version}"]}, "order": "ASC"}}
    url = f"{prod.cloud.cloud_environment['PREFECT_API_URL']}/events/filter"
    found: list[dict[str, Any]] = httpx.post(url, json=wanted, trust_env=False).json()["events"]
    return found


def test_every_step_of_it_was_told_as_an_event(prod: Prod) -> None:
    (stack,) = clients.cloudformation().describe_stacks(StackName=f"{STACK}-router-green")["Stacks"]
    # others may have had a stack and a version of the same name before
    told = [each for each in events(prod, "green") if datetime.fromisoformat(each["occurred"]) > stack["CreationTime"]]
    names = [event["event"].removeprefix("tyrell.version.") for event in told]
    assert names == ["created", "scaled", "healthy", "switched", "switched", "switched"]
    assert [event["payload"]["weights"].get("green") for event in told[-3:]] == [10, 50, 100]


def test_going_back_inside_the_window_is_one_write_and_the_version_left_is_bad(prod: Prod) -> None:
    for role in ("router", "target"):
        with Load(prod.url, rate=60, sockets=5) as load:
            first, *rest = prod.changes("rollback", role, "--reason", "customers complain")
        assert first in {"gave router blue 100 % of the traffic", "switched target from green to blue"}
        assert f"marked {role} green as bad" in rest
        assert not load.report().failed, str(load.report())
        assert prod.shares(role) == {"blue": 100}
        assert prod.standing(role, "green").state == "bad: customers complain"
        assert prod.group(role, "green").desired == 0


def test_a_bad_version_is_refused_until_somebody_insists(prod: Prod) -> None:
    said = prod.refused("upgrade", "router", "--to", "green", *UNJUDGED, code=2)
    assert said == "tyrell: router green has failed before (customers complain); upgrade to it anyway with --force"
    prod.ok("upgrade", "router", "--to", "green", "--force", *UNJUDGED)
    assert prod.shares("router") == {"green": 100}
    assert prod.bad("router") == set()


@pytest.mark.parametrize(
    ("release", "evidence", "most"),
    [
        ("rcrash", "of its machines died before all were healthy", 0.0),
        pytest.param("rerrors", "requests failed", 0.1, marks=pytest.mark.long),
        pytest.param("rliar", "smoke check", 0.0, marks=pytest.mark.long),
        pytest.param("rslow", "p95 is", 0.0, marks=pytest.mark.long),
        pytest.param("terrors", "smoke check", 0.0, marks=pytest.mark.long),
        ("tslow", "allowed 0.25 s", 0.0),
    ],
)
def test_a_bad_release_goes_back_by_itself(prod: Prod, release: str, evidence: str, most: float) -> None:
    role = FAULTS[release][0]
    before, size = prod.live(role), prod.group(role, prod.live(role)).desired
    steps = ("--steps", "10,100") if role == "router" else ()
    with Load(prod.url, rate=60, sockets=0) as load:
        said = prod.refused("upgrade", role, "--to", release, *QUICK, *steps, code=1)
    assert said.startswith(f"tyrell: rolled {role} {release} back to {role} {before}: {role} {release} is bad: ")
    assert evidence in said
    report = load.report()
    assert len(report.failed) <= most * len(report.requests), str(report)
    assert prod.shares(role) == {before: 100}
    assert prod.group(role, before).desired == size
    assert prod.group(role, release).desired == 0
    assert release in prod.bad(role)
    assert prod.is_left_alone(role, before)


def plan(**changes: object) -> Rollout:
    """A quick canary of the router."""
    quick = {"pause": 0, "min_healthy_time": 0, "steps": (10, 100)}
    return Rollout.model_validate(quick | changes)


@pytest.mark.long
def test_a_gate_that_sees_no_requests_holds_and_then_goes_back_without_blame(prod: Prod) -> None:
    before = prod.live("router")
    patient = plan(gate=Gate(deadline=4 * period()))
    with pytest.raises(
        RolledBack, match=r"gave up waiting for the gate of router nobody at 10 %.*0 of 50 requests seen"
    ):
        upgrade(STACK, "router", clients_image(prod, before), "nobody", patient)
    assert prod.shares("router") == {before: 100}
    assert "nobody" not in prod.bad("router")


def clients_image(prod: Prod, version: str) -> str:
    """The AMI that a version of the router is made of."""
    described = clients.cloudformation().describe_stacks(StackName=prod.version("router", version).stack_name)
    values = {each["ParameterKey"]: each["ParameterValue"] for each in described["Stacks"][0]["Parameters"]}
    return values["Image"]


@pytest.mark.long
def test_a_gate_of_ones_own_decides_too(prod: Prod) -> None:
    before = prod.live("router")
    own = plan(gate=Gate(min_requests=0, function="tests.flows.own_gate:refuse_picky"))
    with pytest.raises(RolledBack, match=r"router picky is bad: at 10 %: .*nobody likes picky"):
        upgrade(STACK, "router", clients_image(prod, before), "picky", own)
    assert prod.bad("router") >= {"picky"}
    eventually(
        "its end to be told",
        lambda: (
            {"tyrell.version.bad", "tyrell.version.rolled-back"} <= {each["event"] for each in events(prod, "picky")}
        ),
    )


@pytest.mark.parametrize(("answer", "code"), [("--no", 1), ("--note", 0)])
def test_a_person_decides_before_all_traffic_moves(prod: Prod, answer: str, code: int) -> None:
    before = prod.live("router")
    asking = prod.cloud.started(
        "upgrade", "router", "--to", other(before), "--stack", STACK, "--approve", *UNJUDGED, "--steps", "10,100"
    )
    eventually(
        "the run to ask",
        lambda: prod.run("approve", "router", answer, *(("fine",) if code == 0 else ())).exit_code == 0,
        SOON,
    )
    assert asking.wait(60) == code
    assert prod.shares("router") == ({other(before): 100} if code == 0 else {before: 100})
    assert prod.is_left_alone("router", before)


@pytest.mark.long
def test_no_answer_in_time_means_no(prod: Prod) -> None:
    before = prod.live("router")
    asking = plan(gate=None, approve_before=(100,), approval_timeout=2)
    with pytest.raises(RolledBack, match="was not approved: nobody answered within 0:00:02"):
        upgrade(STACK, "router", clients_image(prod, before), "unasked", asking)
    assert prod.shares("router") == {before: 100}
    assert "unasked" not in prod.bad("router")
    told = eventually(
        "question and answer to be told",
        lambda: [each for each in events(prod, "unasked") if each["event"] == "tyrell.approval.answered"],
    )
    assert told[0]["payload"] == {"percent": 100, "approved": False, "said": "nobody answered within 0:00:02"}


@pytest.fixture
def half_way(prod: Prod) -> Iterator[tuple[subprocess.Popen[bytes], str, str]]:
    """An upgrade that is at 10 % and stays there until it is killed or, afterwards, stopped; and the versions."""
    before = prod.live("router")
    going = prod.cloud.started(
        *("upgrade", "router", "--to", other(before), "--stack", STACK, "--no-gate", "--steady", "0"),
        *("--steps", "10,100", "--pause", "300"),
    )
    eventually("10 % to be written", lambda: prod.shares("router") == {before: 90, other(before): 10}, SOON)
    yield going, before, other(before)
    going.send_signal(signal.SIGINT)
    going.wait(60)


Half = tuple["subprocess.Popen[bytes]", str, str]


def test_one_change_at_a_time_and_the_second_one_is_told_who(prod: Prod, half_way: Half) -> None:
    _, before, after = half_way
    assert f"upgrade to {after}" in prod.ok("locks")
    said = prod.refused("upgrade", "router", "--to", after, code=1)
    assert "router of stack prod is locked by" in said
    assert f"upgrade to {after}; wait for it with --wait" in said
    for command in (("scale", "router", "3"), ("rollback", "router"), ("retire", "router", "nobody")):
        assert "is locked by" in prod.refused(*command, code=1)
    assert "is locked by" in prod.cloud.run("down", STACK, "--yes").stderr
    assert prod.shares("router") == {before: 90, after: 10}


def test_a_killed_upgrade_goes_on_where_it_was(prod: Prod, half_way: Half) -> None:
    going, before, after = half_way
    going.kill()
    going.wait()
    assert prod.group("router", before).min == prod.group("router", before).desired
    prod.ok("upgrade", "router", "--to", after, *UNJUDGED, "--steps", "10,100", "--wait", "60")
    assert prod.shares("router") == {after: 100}
    assert prod.is_left_alone("router", before)
    assert prod.is_left_alone("router", after)
    assert find_locks(STACK) == ()


@pytest.mark.long
def test_a_killed_upgrade_can_be_rolled_back_instead(prod: Prod, half_way: Half) -> None:
    going, before, after = half_way
    going.kill()
    going.wait()
    prod.ok("rollback", "router", "--wait", "60")
    assert prod.shares("router") == {before: 100}
    assert prod.is_left_alone("router", before)
    prod.ok("upgrade", "router", "--to", after, "--force", *UNJUDGED)


@pytest.mark.long
def test_an_upgrade_lets_go_of_what_one_held_that_was_left_for_it(prod: Prod, half_way: Half) -> None:
    going, before, after = half_way
    going.kill()
    going.wait()
    prod.ok("switch", "router", after, "--wait", "60")
    own = plan(gate=Gate(min_requests=0, function="tests.flows.own_gate:tell_who_is_held"))
    with pytest.raises(RolledBack, match=f"held: {after}, third"):
        upgrade(STACK, "router", clients_image(prod, after), "third", own)
    assert prod.shares("router") == {after: 100}
    assert prod.is_left_alone("router", before)
    assert prod.is_left_alone("router", after)


def test_an_upgrade_that_died_before_it_made_its_version_can_be_rolled_back(prod: Prod) -> None:
    before = prod.live("router")
    pin.fn(prod.group("router", before), "never")
    assert prod.changes("rollback", "router") == ["marked router never as bad"]
    assert prod.shares("router") == {before: 100}
    assert prod.is_left_alone("router", before)


def test_a_stopped_upgrade_gives_the_traffic_back_at_once(prod: Prod, half_way: Half) -> None:
    going, before, after = half_way
    going.send_signal(signal.SIGINT)
    assert going.wait(60) == 1
    assert prod.shares("router") == {before: 100}
    assert prod.is_left_alone("router", before)
    assert after not in prod.bad("router")


def test_scaling_waits_for_health_drains_and_outlives_an_upgrade(prod: Prod) -> None:
    before = prod.live("router")
    prod.ok("scale", "router", "3")
    assert (prod.standing("router", before).healthy, prod.group("router", before).desired) == (3, 3)
    prod.ok("upgrade", "router", "--to", other(before), "--force", *UNJUDGED)
    assert prod.group("router", other(before)).desired == 3
    with Load(prod.url, rate=60, sockets=9) as load:
        prod.ok("scale", "router", "2")
    report = load.report()
    assert not report.failed, str(report)
    assert {gap.reason for gap in report.gaps} == {"closed with 1001"}
    assert len(prod.group("router", other(before)).machines) == 2


def test_targets_are_not_scaled_below_what_the_tenants_need(prod: Prod) -> None:
    for tenant in range(6):
        httpx.get(prod.url, headers={"x-apigee-iot-tenant-id": f"t{tenant}"}, trust_env=False).raise_for_status()
    said = prod.refused("scale", "target", "1", code=1)
    assert "tenants with 2 members each need" in said
    assert "free members, it has" in said
    prod.ok("deploy", "target", "--version", "small", "--ami", clients_image(prod, prod.live("router")), "--size", "1")
    before = prod.live("target")
    assert "it has 10; scale it up first" in prod.refused("switch", "target", "small", code=1)
    assert prod.shares("target") == {before: 100}


def end_window(group: Group) -> None:
    """An hour passes: the tag that says until when the version is ready to take over says so."""
    clients.autoscaling().create_or_update_tags(
        Tags=[
            {
                "ResourceId": group.name,
                "ResourceType": "auto-scaling-group",
                "Key": HOT_UNTIL,
                "Value": datetime.now(UTC).isoformat(),
                "PropagateAtLaunch": False,
            }
        ]
    )


@pytest.mark.long
def test_idle_versions_are_kept_as_long_as_they_may_be_needed(prod: Prod) -> None:
    live = prod.live("router")
    after = other(live)
    assert "has 100 % of the traffic; switch to another" in prod.refused("retire", "router", live, code=2)
    prod.ok("upgrade", "router", "--to", after, "--force", *UNJUDGED)
    assert "for going back at once; delete it anyway with --force" in prod.refused("retire", "router", live, code=2)
    assert prod.bad("router").isdisjoint(group.version.id for group in find_groups(STACK, "router"))
    prod.ok("upgrade", "router", "--to", live, *UNJUDGED)

    def due() -> list[tuple[str, str]]:
        return [(each["version"]["id"], each["fate"]) for each in json.loads(prod.ok("prune", "router", "--json"))]

    assert due() == []
    end_window(prod.group("router", after))
    assert due() == [(after, "stop")]
    assert prod.group("router", after).desired == 2
    prod.ok("prune", "router", "--yes")
    assert prod.group("router", after).desired == 0
    assert due() == []
    assert prod.shares("router") == {live: 100}


def test_going_back_to_a_version_without_machines_is_refused(prod: Prod) -> None:
    live = prod.live("router")
    prod.ok("upgrade", "router", "--to", other(live), "--force", "--window", "0", *UNJUDGED)
    assert prod.group("router", live).desired == 0
    said = prod.refused("rollback", "router", code=1)
    assert said.endswith(f"it has no machines; `tyrell upgrade router --to {live}` starts them")
    assert prod.shares("router") == {other(live): 100}


def test_core_services_are_replaced_one_by_one_and_keep_their_data(prod: Prod, images: dict[str, str]) -> None:
    with Load(prod.url, rate=60, sockets=5) as load:
        prod.ok("upgrade", "core-services", "--to", "green", "--steady", "0")
    assert not load.report().failed, str(load.report())
    group = prod.group("core-services", "green")
    assert len(group.machines) == 3
    assert prod.group("core-services", "blue").machines == ()
    listed = subprocess.run(
        [etcd_binaries() / "etcdctl", "--endpoints", f"{group.machines[0].address}:4001", "member", "list"],
        capture_output=True,
        text=True,
        check=True,
        env={"ETCDCTL_API": "3"},
    ).stdout
    assert listed.count("started") == listed.count("\n") == 3
    assert prod.live("target") in {"blue", "green"}


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        ("upgrade router --to nine", 2, "release nine does not exist; bake one first"),
        ("upgrade router --to ami-0", 2, "machine image ami-0 does not exist"),
        ("upgrade router --steps 50,10", 2, "steps 50, 10 cannot be: they are percentages that rise and end with 100"),
        ("upgrade router --steps ten", 2, "--steps ten: write percentages, for example --steps 10,50,100"),
        ("upgrade router --window 99999999", 2, "is longer than versions are kept"),
        ("upgrade router --strategy sideways", 2, "strategy: Input should be"),
        ("upgrade router --strategy rolling", 2, "strategy rolling is for roles without traffic"),
        ("upgrade target --strategy canary", 2, "traffic of target moves all at once"),
        ("upgrade core-services --strategy canary", 2, "strategy canary moves traffic and core-services has none"),
        ("upgrade core-services --strategy recreate", 2, "keep data that strategy recreate would lose"),
        ("switch router one=30 two=80", 2, "one 30 % and two 80 % are 110 % together"),
        ("switch router one=x", 2, "one=x: write VERSION=PERCENT"),
        ("scale router 99", 2, "size 99 of router is outside its bounds 1 to 12"),
        ("rollback core-services", 2, "core-services has no traffic to give back; `tyrell upgrade core-services --to"),
        ("approve router", 2, "an upgrade of router on prod that waits for approval does not exist"),
        ("retire router nine", 2, "version nine of router in stack prod does not exist"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(prod: Prod, command: str, code: int, sentence: str) -> None:
    before = {role: prod.shares(role) for role in ("router", "target")}
    said = prod.refused(*command.split(), code=code)
    assert sentence in said
    assert {role: prod.shares(role) for role in ("router", "target")} == before
