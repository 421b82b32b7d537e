"""A cloud of containers, used as a person uses it: started by the `tyrell` command, asked through boto3 and ssh."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.flows.embedded import Tyrell, embedded_cloud
from tests.waiting import eventually
from tyrell.local.aws import client
from tyrell.local.containers.base_ami import PARAMETER
from tyrell.local.settings import Settings
from tyrell.local.state import read_record

KEY = "tests"
SSH_OPTIONS = ("-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR", "-oConnectTimeout=3")
BOOT_SECONDS = 90


@dataclass(frozen=True)
class Cloud:
    """One cloud with one subnet and one key pair."""

    settings: Settings
    tyrell: Tyrell
    subnet: str
    key_file: Path

    @property
    def ec2(self) -> Any:
        return client(self.settings, "ec2")

    def aws(self, service: str) -> Any:
        return client(self.settings, service)

    @property
    def debian(self) -> str:
        """The id of Debian's machine image, found as anybody finds it."""
        return str(self.aws("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"])

    def run(self, image: str, user_data: str = "", **more: Any) -> str:
        """Launch an instance; its id."""
        run = self.ec2.run_instances(
            ImageId=image, SubnetId=self.subnet, KeyName=KEY, MinCount=1, MaxCount=1, UserData=user_data, **more
        )
        return str(run["Instances"][0]["InstanceId"])

    def instance(self, instance_id: str) -> Any:
        return self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]

    def address(self, instance_id: str) -> str:
        return str(self.instance(instance_id)["PrivateIpAddress"])

    def await_state(self, instance_id: str, state: str) -> Any:
        def look() -> Any:
            seen = self.instance(instance_id)
            return seen if seen["State"]["Name"] == state else None

        return eventually(f"{instance_id} is {state}", look, BOOT_SECONDS)

    def ready(self, image: str, user_data: str = "", **more: Any) -> str:
        """The id of a new instance that lets us in and whose cloud-init is done."""
        instance_id = self.run(image, user_data, **more)
        self.await_login(instance_id)
        return instance_id

    def await_login(self, instance_id: str) -> None:
        def done() -> bool:
            return self.ssh(instance_id, "cloud-init status").stdout.strip() == "status: done"

        try:
            eventually(f"cloud-init of {instance_id} is done", done, BOOT_SECONDS)
        except AssertionError as late:
            pytest.fail(f"{late}; its console says:\n{self.console(instance_id)[-3000:]}")

    def ssh(self, instance_id: str, command: str) -> subprocess.CompletedProcess[str]:
        to = f"admin@{self.address(instance_id)}"
        words = ["ssh", "-i", str(self.key_file), *SSH_OPTIONS, to, command]
        return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)

    def says(self, instance_id: str, command: str) -> str:
        """What a command that must succeed prints on the instance."""
        done = self.ssh(instance_id, command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def console(self, instance_id: str) -> str:
        return str(self.ec2.get_console_output(InstanceId=instance_id)["Output"])

    def await_image(self, image_id: str) -> Any:
        """The machine image once it is pending no more."""

        def look() -> Any:
            image = self.ec2.describe_images(ImageIds=[image_id])["Images"][0]
            return image if image["State"] != "pending" else None

        return eventually(f"{image_id} is made", look, BOOT_SECONDS)

    def terminate(self, instance_ids: Sequence[str]) -> None:
        self.ec2.terminate_instances(InstanceIds=list(instance_ids))
        for instance_id in instance_ids:
            self.await_state(instance_id, "terminated")


def things_of(home: Path) -> list[str]:
    """The names of everything that the cloud at `home` has in the Docker Engine."""
    engine, own = docker.from_env(), {"label": f"tyrell.home={home}"}
    return [
        *(container.name or "" for container in engine.containers.list(all=True, filters=own)),  # type: ignore[arg-type]
        *(volume.name for volume in engine.volumes.list(filters=own)),
        *(tag for image in engine.images.list(filters=own) for tag in image.tags),
        *(network.name or "" for network in engine.networks.list(filters=own)),
    ]


@contextmanager
def cloud_of_containers(network: str) -> Iterator[Cloud]:
    """A cloud that is up; afterwards everything of it is gone."""
    with embedded_cloud("--machines", "docker", network=network, prefect=False, timeout=600) as tyrell:
        state = read_record(tyrell.home)
        assert state
        yield _furnished(state.settings, tyrell)


def _furnished(settings: Settings, tyrell: Tyrell) -> Cloud:
    ec2 = client(settings, "ec2")
    vpc = ec2.create_vpc(CidrBlock=str(settings.network))["Vpc"]["VpcId"]
    first = next(IPv4Network(settings.network).subnets(new_prefix=24))
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=str(first))["Subnet"]["SubnetId"]
    key_file = tyrell.home / "key"
    key_file.touch(mode=0o600)
    key_file.write_text(ec2.create_key_pair(KeyName=KEY, KeyType="ed25519")["KeyMaterial"])
    return Cloud(settings, tyrell, str(subnet), key_file)
