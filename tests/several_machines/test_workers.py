"""Two workers in two processes share the runs of a pool, and never do the same change twice.

Every test goes on where the one before ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tasks import clients
from tasks.groups import find_groups
from tasks.locks import find_locks
from tasks.model import Release
from tasks.roles import load_role
from tasks.stacks import find_stack
from tasks.versions import find_working
from tests.flows.embedded import Tyrell, embedded_cloud
from tests.flows.releases import bake
from tests.several_machines.servers import Process, Servers
from tests.several_machines.team import Team, kill_with_children, upgrade_of
from tests.waiting import eventually
from tyrell.local.state import read_state

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

NETWORK = "127.53.0.0/16"
STACK = "shared"
ROLES = ("router", "target", "tenant-mgmt-api", "device-data-worker", "usage-worker")
SMALL = tuple(f"{role}=1" for role in ROLES[:3])
EACH = 3
"""Runs that one worker takes at the same time."""


@dataclass
class Site:
    """A stack on an embedded cloud, and two workers."""

    cloud: Tyrell
    team: Team
    workers: dict[str, Process]

    def release(self, name: str) -> Release:
        """A good release that differs from all others in every role."""
        state = read_state(self.cloud.home)
        assert state
        return Release(id=name, ami=bake(state.settings, name))

    def live(self, role: str) -> dict[str, int]:
        """The versions of a role that work, with their share."""
        return find_working(STACK, load_role(role))


@pytest.fixture(scope="module")
def site(servers: Servers) -> Iterator[Site]:
    """The stack, made of release `one`, and the workers `first` and `second`."""
    with embedded_cloud(network=NETWORK, prefect=False) as cloud, pytest.MonkeyPatch.context() as patched:
        for name, value in cloud.cloud_environment.items():
            patched.setenv(name, value)
        clients.forget()
        cloud.environment_variables |= servers.client
        team = Team(servers, cloud.cloud_environment)
        made = Site(cloud, team, {})
        sizes = [word for size in SMALL for word in ("--size", size)]
        cloud.ok("up", STACK, "--ami", made.release("one").ami, "--version", "one", *sizes, timeout=400)
        made.workers = {name: team.start_worker(name, limit=EACH) for name in ("first", "second")}
        yield made
        clients.forget()


def test_six_changes_at_once_are_done_by_both_workers(site: Site) -> None:
    release = site.release("two")
    runs = [site.team.start("upgrade", upgrade_of(STACK, role, release)) for role in ROLES]
    runs.append(site.team.start("network", {"network": {"name": "another", "cidr": "127.53.128.0/20"}}))
    site.team.completed(*runs)
    assert find_stack("another")
    assert {role: site.live(role) for role in ROLES} == {role: {"two": 100} for role in ROLES}
    shared = [site.team.worked_on(worker, runs) for worker in site.workers]
    assert [len(had) for had in shared] == [EACH, EACH], shared
    assert not set.intersection(*shared)
    assert find_locks(STACK) == ()


def test_the_same_upgrade_started_twice_at_once_is_done_once(site: Site) -> None:
    parameters = upgrade_of(STACK, "router", site.release("three"), wait="PT5M")
    runs = [site.team.start("upgrade", parameters) for _ in range(2)]
    site.team.completed(*runs)
    assert site.live("router") == {"three": 100}
    assert sorted(len(site.team.changes(run)) for run in runs) == [0, 1]


def test_another_worker_finishes_what_a_killed_one_has_begun(site: Site) -> None:
    parameters = upgrade_of(STACK, "router", site.release("four"), wait="PT5M")
    begun = site.team.start("upgrade", parameters)

    def versions() -> set[str]:
        return {group.version.id for group in find_groups(STACK, "router") if group.desired}

    eventually("the new version has machines", lambda: "four" in versions(), 120)
    (had,) = [name for name in site.workers if site.team.worked_on(name, [begun])]
    kill_with_children(site.workers.pop(had))
    assert set(site.live("router")) >= {"three"}

    again = site.team.start("upgrade", parameters)
    site.team.completed(again)
    assert site.live("router") == {"four": 100}
    (left,) = site.workers
    assert site.team.worked_on(left, [again]) == {again}
