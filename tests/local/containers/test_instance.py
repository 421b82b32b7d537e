"""An instance that is a container: what it is given at boot, and how it lives and ends."""

from __future__ import annotations

import json

import boto3
import pytest

from tests.local.containers.cloud import Cloud, things_of
from tests.waiting import eventually

pytestmark = pytest.mark.docker

TOKEN = "T=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)"


def metadata(cloud: Cloud, instance: str, path: str) -> str:
    """What the instance itself reads at this path of its metadata."""
    ask = f'curl -sf -H "X-aws-ec2-metadata-token: $T" http://169.254.169.254/latest/{path}'
    return cloud.says(instance, f"{TOKEN}; {ask}")


def test_an_instance_boots_with_its_own_address_and_name_and_no_failed_unit(cloud: Cloud, instance: str) -> None:
    address = cloud.address(instance)

    assert cloud.says(instance, "hostname --all-ip-addresses") == address
    assert cloud.says(instance, "hostname") == f"ip-{address.replace('.', '-')}"
    assert cloud.says(instance, "systemctl is-system-running") == "running"


def test_user_data_ran_as_root_once_by_cloud_init(cloud: Cloud, instance: str) -> None:
    assert "INVOCATION_ID=" in cloud.says(instance, "sudo cat /root/environment-of-user-data")


def test_services_and_sessions_find_the_aws_endpoint_without_configuration(cloud: Cloud, instance: str) -> None:
    setting = f"AWS_ENDPOINT_URL={cloud.settings.endpoint}"

    assert setting in cloud.says(instance, "sudo cat /root/environment-of-user-data")
    assert setting in cloud.says(instance, "env")
    assert setting in cloud.says(instance, "sudo --preserve-env env")
    assert cloud.says(instance, "curl -s -o /dev/null -w '%{http_code}' $AWS_ENDPOINT_URL/moto-api/data.json") == "200"


def test_the_console_output_is_what_systemd_and_cloud_init_say(cloud: Cloud, instance: str) -> None:
    said = cloud.console(instance)

    assert "Reached target cloud-init.target" in said
    assert "cloud-init" in said
    assert "finished at" in said


def test_metadata_names_the_instance(cloud: Cloud, instance: str) -> None:
    document = json.loads(metadata(cloud, instance, "dynamic/instance-identity/document"))

    assert metadata(cloud, instance, "meta-data/instance-id") == document["instanceId"] == instance
    assert metadata(cloud, instance, "meta-data/local-ipv4") == document["privateIp"] == cloud.address(instance)
    assert metadata(cloud, instance, "user-data").startswith("#!/bin/sh")


def test_metadata_without_a_token_is_refused(cloud: Cloud, instance: str) -> None:
    ask = "curl -s -o /dev/null -w '%{http_code}' -H 'X-aws-ec2-metadata-token: made-up' http://169.254.169.254/latest/"

    assert cloud.says(instance, ask) == "401"
    assert cloud.says(instance, ask.replace(" -H 'X-aws-ec2-metadata-token: made-up'", "")) == "401"


def test_credentials_of_the_instance_profile_are_those_of_its_role(cloud: Cloud, instance: str) -> None:
    name = metadata(cloud, instance, "meta-data/iam/security-credentials/")
    given = json.loads(metadata(cloud, instance, f"meta-data/iam/security-credentials/{name}"))
    sts = boto3.client(
        "sts",
        endpoint_url=cloud.settings.endpoint,
        region_name=cloud.settings.region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["Token"],
    )

    assert sts.get_caller_identity()["Arn"].endswith(f":assumed-role/worker/{instance}")


def test_an_instance_that_powers_off_is_stopped_and_starts_with_the_same_disk(cloud: Cloud) -> None:
    instance = cloud.ready(cloud.debian)
    cloud.says(instance, "echo kept | sudo tee /etc/kept /var/lib/docker/kept")

    cloud.ssh(instance, "sudo systemctl poweroff")
    stopped = cloud.await_state(instance, "stopped")
    assert stopped["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"

    cloud.ec2.start_instances(InstanceIds=[instance])
    cloud.await_login(instance)
    assert cloud.says(instance, "cat /etc/kept; sudo cat /var/lib/docker/kept") == "kept\nkept"

    cloud.terminate([instance])


def test_a_unit_whose_failure_action_is_poweroff_ends_the_instance(cloud: Cloud) -> None:
    unit = "[Unit]\\nFailureAction=poweroff\\n[Service]\\nExecStart=/bin/sleep infinity\\n"
    script = f"#!/bin/sh\nprintf '{unit}' > /etc/systemd/system/service.service\nsystemctl start service\n"
    instance = cloud.ready(cloud.debian, script)

    cloud.ssh(instance, "sudo systemctl kill --signal KILL service")

    cloud.await_state(instance, "stopped")
    cloud.terminate([instance])


def test_a_terminated_instance_leaves_nothing_but_its_console_output(cloud: Cloud) -> None:
    instance = cloud.run(cloud.debian)
    cloud.await_state(instance, "running")
    eventually("it says something", lambda: "systemd" in cloud.console(instance))

    cloud.terminate([instance])

    assert not [name for name in things_of(cloud.settings.home) if instance in name]
    assert "systemd" in cloud.console(instance)


def test_an_instance_terminated_while_it_boots_leaves_no_container(cloud: Cloud) -> None:
    instance = cloud.run(cloud.debian)

    cloud.terminate([instance])

    assert not [name for name in things_of(cloud.settings.home) if instance in name]


def test_an_image_whose_contents_are_gone_stops_the_instance_and_says_so(cloud: Cloud) -> None:
    registered = cloud.ec2.register_image(Name="empty", ImageLocation="tyrell/ami:none", RootDeviceName="/dev/xvda")

    instance = cloud.run(registered["ImageId"])
    stopped = cloud.await_state(instance, "stopped")

    assert f"{registered['ImageId']} has no contents" in stopped["StateReason"]["Message"]
    cloud.terminate([instance])
