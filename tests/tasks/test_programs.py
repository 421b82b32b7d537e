"""The programs of a machine image: run with a `docker` that writes down what it is told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tasks.roles import load_role, role_names
from tasks.templates import program_files

IMAGE = "sha256:" + "1" * 64
OWN = {"grafana": "sha256:" + "2" * 64, "loki": "sha256:" + "3" * 64}
"""Of services that have one of their own."""
DOCKER = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
[ "$1" != run ] || exit 7
exit 1
"""
INSTALL = """#!/bin/sh
printf 'install %s\n' "$*" >> "$CALLS"
"""


class Machine:
    """Runs programs where `docker run` ends with 7 and everything else of Docker fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in {"docker": DOCKER, "install": INSTALL}.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self._calls = folder / "calls"

    def run(self, role: str, command: str, *words: str, **environment: str) -> list[str]:
        """What Docker was told, call by call; the program ended with the status of its container."""
        program = self.folder / command
        program.write_text(program_files(load_role(role), {role: IMAGE} | OWN)[command])
        path = f"{self.folder}:{os.environ['PATH']}"
        done = subprocess.run(
            ["/bin/sh", str(program), *words],
            env={"PATH": path, "CALLS": str(self._calls), **environment},
            check=False,
            capture_output=True,
        )
        assert (done.returncode, done.stdout, done.stderr) == (7, b"", b"")
        return self._calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_service_runs_in_a_container_of_its_image_on_the_machines_own_network(machine: Machine) -> None:
    *_, run = machine.run("router", "link-router", PORT="3000")
    assert run.startswith("run --rm --init --pull never --name link-router --network host ")
    assert run.endswith(f" --env PORT {IMAGE}")


def test_what_an_earlier_run_left_is_removed_first(machine: Machine) -> None:
    first, second = machine.run("router", "link-router", PORT="3000")
    assert first == "rm --force link-router"
    assert second.startswith("run ")


def test_services_of_one_machine_have_containers_of_their_own(machine: Machine) -> None:
    machine.run("target", "link-target", MAPPED_PORT="3001")
    calls = machine.run("target", "link-target", MAPPED_PORT="3002")
    names = [call.split(" --name ")[1].split()[0] for call in calls if call.startswith("run ")]
    assert names == ["link-target-3001", "link-target-3002"]


def test_a_state_directory_is_a_folder_of_the_machine_that_belongs_to_the_service(machine: Machine) -> None:
    *_, owned, run = machine.run("core-services", "etcd-node", STATE_DIRECTORY="/var/lib/etcd")
    assert owned == "install --directory --mode 700 --owner 900 /var/lib/etcd/state"
    assert " --env STATE_DIRECTORY --volume /var/lib/etcd/state:/var/lib/etcd " in run


def test_a_service_with_an_image_of_its_own_reads_its_files_there_and_runs_what_the_image_runs(
    machine: Machine,
) -> None:
    *_, owned, run = machine.run("metrics", "loki", STATE_DIRECTORY="/var/lib/metrics/loki")
    assert owned == "install --directory --mode 700 --owner 10001 /var/lib/metrics/loki/state"
    assert " --volume /opt/link/share/loki:/etc/loki:ro " in run
    assert "--entrypoint" not in run
    assert run.endswith(OWN["loki"])


def test_a_further_program_is_another_entrypoint_with_the_variables_of_its_caller(machine: Machine) -> None:
    *_, run = machine.run("core-services", "etcd-peers", ZETTA_STACK="lab", AWS_REGION="us-east-1")
    assert run.endswith(f" --entrypoint etcd-peers --env AWS_REGION --env ZETTA_STACK {IMAGE}")


def test_a_program_in_its_container_has_its_arguments(machine: Machine) -> None:
    *_, run = machine.run("core-services", "etcd-peers", "one", "--two")
    assert run.endswith(f" --env ZETTA_STACK {IMAGE} one --two")


def test_a_second_service_is_another_entrypoint_of_the_same_image(machine: Machine) -> None:
    *_, first = machine.run("tenant-mgmt-api", "tenant-mgmt-api", PORT="2000")
    *_, second = machine.run("tenant-mgmt-api", "metrics-collector")
    assert "--entrypoint" not in first
    assert " --name metrics-collector " in second
    assert second.endswith(f" --entrypoint metrics-collector {IMAGE}")


@pytest.mark.parametrize("role", role_names())
def test_every_service_of_every_role_has_its_program(role: str) -> None:
    programs = program_files(load_role(role), {role: IMAGE})
    assert {service.command for service in load_role(role).services} <= programs.keys()
    assert all(text.startswith("#!/bin/sh\n") for text in programs.values())


def test_where_the_registry_has_the_v2_api_a_target_is_registered_by_its_machine(machine: Machine) -> None:
    python = machine.folder / "python3"
    python.write_text('#!/bin/sh\nprintf "%s %s\\n" "$1" "$2" >> "$CALLS"\nshift 2\nexec "$@"\n')
    python.chmod(0o755)
    *_, before, run = machine.run("target", "link-target", MAPPED_PORT="3001", REGISTRY_API="v2")
    assert before == "/opt/link/lib/registered.py /services/zetta/"
    assert " --name link-target-3001 " in run
    *_, before, run = machine.run("target", "link-target", MAPPED_PORT="3001", REGISTRY_API="v3")
    assert before.startswith("rm --force")
    assert run.startswith("run ")
