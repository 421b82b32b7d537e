"""An instance's life, through the EC2 API, with real processes."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.local.machines.conftest import ANSWERING_IMAGE, ANSWERING_USER_DATA, Cloud, answer_of
from tests.waiting import eventually

pytestmark = pytest.mark.cloud


def processes_of(instance: str) -> list[int]:
    """Pids of everything that runs on a machine."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"INSTANCE_ID={instance}".encode() in environment:
            found.append(int(folder.name))
    return found


def test_an_instance_answers_on_its_private_address_only(cloud: Cloud) -> None:
    instance = cloud.answering()
    address = cloud.address(instance)

    assert answer_of(address) == instance
    assert answer_of("127.34.255.254") is None
    assert answer_of("127.0.0.1") is None


def test_a_process_killed_by_signal_9_stops_the_instance_within_a_second(cloud: Cloud) -> None:
    instance = cloud.answering()

    (pid,) = processes_of(instance)
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    stopped = cloud.await_state(instance, "stopped")

    assert time.monotonic() - killed < 1
    expected = "Client.InstanceInitiatedShutdown: answer.service failed: killed by SIGKILL"
    assert stopped["StateReason"] == {"Code": "Client.InstanceInitiatedShutdown", "Message": expected}
    assert stopped["StateTransitionReason"] == expected


def test_a_clean_end_is_restarted_when_the_unit_says_so(cloud: Cloud) -> None:
    instance = cloud.answering()

    (first,) = processes_of(instance)
    os.kill(first, signal.SIGTERM)
    eventually("another process runs", lambda: processes_of(instance) not in ([], [first]))

    assert eventually("it answers", lambda: answer_of(cloud.address(instance))) == instance
    assert cloud.instance(instance)["State"]["Name"] == "running"


def test_terminate_leaves_no_process_and_no_files_but_the_console(cloud: Cloud) -> None:
    instance = cloud.answering()

    answer = cloud.ec2.terminate_instances(InstanceIds=[instance])["TerminatingInstances"][0]
    cloud.await_state(instance, "terminated")

    assert (answer["PreviousState"]["Name"], answer["CurrentState"]["Name"]) == ("running", "shutting-down")
    assert processes_of(instance) == []
    assert sorted(path.name for path in (cloud.settings.instances / instance).iterdir()) == ["console.log"]
    assert "answer.service: listening" in cloud.console(instance)


def test_terminating_twice_is_fine(cloud: Cloud) -> None:
    instance = cloud.run(cloud.image(ANSWERING_IMAGE))

    cloud.ec2.terminate_instances(InstanceIds=[instance])
    cloud.ec2.terminate_instances(InstanceIds=[instance])
    cloud.await_state(instance, "terminated")
    again = cloud.ec2.terminate_instances(InstanceIds=[instance])["TerminatingInstances"][0]

    assert again["CurrentState"]["Name"] == "terminated"


def test_a_stopped_instance_starts_again_with_its_files_and_without_a_second_first_boot(cloud: Cloud) -> None:
    instance = cloud.answering()
    address = cloud.address(instance)

    cloud.ec2.stop_instances(InstanceIds=[instance])
    cloud.await_state(instance, "stopped")
    silent = answer_of(address)
    cloud.ec2.start_instances(InstanceIds=[instance])
    cloud.await_state(instance, "running")

    assert silent is None
    assert eventually("it answers", lambda: answer_of(address)) == instance
    assert cloud.console(instance).count("cloud-init: wrote /etc/answer.env") == 1


def test_a_reboot_starts_new_processes(cloud: Cloud) -> None:
    instance = cloud.answering()

    before = processes_of(instance)
    cloud.ec2.reboot_instances(InstanceIds=[instance])
    eventually("another process runs", lambda: processes_of(instance) not in ([], before))

    assert eventually("it answers", lambda: answer_of(cloud.address(instance))) == instance


def test_an_instance_that_still_boots_can_be_terminated(cloud: Cloud) -> None:
    instance = cloud.run(cloud.image({}), "#cloud-config\nruncmd: [[sleep, '60']]")
    eventually("the first boot is under way", lambda: processes_of(instance))

    cloud.ec2.terminate_instances(InstanceIds=[instance])

    cloud.await_state(instance, "terminated")
    assert processes_of(instance) == []


def test_a_state_change_that_is_not_possible_is_refused(cloud: Cloud) -> None:
    instance = cloud.answering()
    cloud.ec2.terminate_instances(InstanceIds=[instance])

    with pytest.raises(ClientError, match="IncorrectInstanceState"):
        cloud.ec2.start_instances(InstanceIds=[instance])


def test_a_port_that_somebody_holds_on_all_addresses_is_a_failed_machine_that_says_so(cloud: Cloud) -> None:
    with socket.create_server(("0.0.0.0", 0)) as holder:
        port = holder.getsockname()[1]
        user_data = ANSWERING_USER_DATA.replace("PORT=3400", f"PORT={port}")
        instance = cloud.run(cloud.image(ANSWERING_IMAGE), user_data)
        stopped = cloud.await_state(instance, "stopped")

    assert stopped["StateReason"]["Message"].endswith("answer.service failed: exit status 1")
    assert "Address already in use" in cloud.console(instance)


def test_the_developers_environment_does_not_reach_a_machine(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/of/the/developer")
    monkeypatch.setenv("TYRELL_SECRET", "of the developer")

    instance = cloud.answering()

    (pid,) = processes_of(instance)
    environment = Path(f"/proc/{pid}/environ").read_text().split("\0")
    names = {assignment.partition("=")[0] for assignment in environment if assignment}
    assert f"AWS_ENDPOINT_URL={cloud.settings.endpoint}" in environment
    assert names == {
        *("HOME", "PATH", "LANG", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_REGION", "ADDRESS", "PORT"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "INSTANCE_ID", "PYTHONUNBUFFERED", "TYRELL_CLOUD_HOME"),
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    }


def test_ten_units_are_up_within_a_second(cloud: Cloud) -> None:
    unit = b"[Service]\nEnvironmentFile=/etc/answer.env\nExecStart=/opt/link/bin/answer ${ADDRESS} 341%i\n"
    image = cloud.image({**ANSWERING_IMAGE, "etc/systemd/system/answer@.service": unit})
    names = " ".join(f"answer@{number}" for number in range(10))

    asked = time.monotonic()
    instance = cloud.run(image, ANSWERING_USER_DATA.replace("--now answer", f"--now {names}"))
    address = cloud.await_state(instance, "running")["PrivateIpAddress"]
    took = time.monotonic() - asked

    assert took < 1
    for port in range(3410, 3420):
        assert eventually(f"port {port} answers", lambda port=port: answer_of(address, port)) == instance  # type: ignore[misc]
