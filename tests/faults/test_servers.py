"""What runs lean on goes away when the embedded cloud is told so: a lock, the Prefect server, members of etcd."""

from __future__ import annotations

from functools import partial

import pytest

from tasks.clients import http_status
from tasks.locks import find_locks, take_lock
from tests.faults.cells import SOON, Stage
from tests.faults.rounds import STACK
from tests.waiting import eventually

pytestmark = [pytest.mark.cloud, pytest.mark.flow]


def test_a_stack_can_lose_one_member_of_etcd_and_its_commands_say_so_when_it_loses_two(theatre: Stage) -> None:
    tyrell = theatre.tyrell

    def stand_still(members: int) -> bool:
        return [len(each["struck"]) for each in tyrell.json("local", "fault", "list")] == [members]

    for preset, members, code in (("etcd-minority", 1, 0), ("etcd-majority", 2, 1)):
        tyrell.ok("local", "fault", "add", preset)
        eventually(f"{members} members to stand still", partial(stand_still, members), SOON)
        done = tyrell.run("locks", "--stack", STACK)
        assert done.returncode == code, f"{preset}: {done.stdout}{done.stderr}"
        assert code == 0 or "etcd" in done.stderr
        tyrell.ok("local", "fault", "clear")
    eventually("etcd to answer again", lambda: tyrell.run("locks", "--stack", STACK).returncode == 0, SOON)


def test_the_locks_of_runs_end_when_etcd_loses_their_leases(theatre: Stage) -> None:
    assert take_lock.fn(STACK, "router", "nothing", None)
    assert [lock.role for lock in find_locks(STACK)] == ["router"]
    theatre.tyrell.ok("local", "fault", "add", "lease-loss")
    eventually("the lock to end", lambda: not find_locks(STACK), SOON)
    theatre.tyrell.ok("local", "fault", "clear")


def test_the_prefect_server_answers_nobody_until_the_fault_is_taken_back(theatre: Stage) -> None:
    health = f"{theatre.tyrell.cloud_environment['PREFECT_API_URL']}/health"
    theatre.tyrell.ok("local", "fault", "add", "prefect-gone")
    eventually("it to be silent", lambda: http_status(health, timeout=0.5) != "200", SOON)
    theatre.tyrell.ok("local", "fault", "clear")
    eventually("it to answer", lambda: http_status(health, timeout=0.5) == "200", SOON)
