"""A cloud with machines and nothing else, in this process, and what the tests do with it."""

from __future__ import annotations

import socket
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.waiting import eventually, free_port
from tyrell.local.aws import client
from tyrell.local.machines.engine import Machines
from tyrell.local.machines.images import Link, register_image
from tyrell.local.server import start_server
from tyrell.local.settings import Settings

PORT = 3400

ANSWERING_PROGRAM = f"""#!{sys.executable} -IS
import os, socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listening", flush=True)
while True:
    connection, _ = server.accept()
    connection.sendall(os.environ["INSTANCE_ID"].encode())
    connection.close()
""".encode()

ANSWERING_UNIT = b"""
[Unit]
FailureAction=poweroff
[Service]
EnvironmentFile=/etc/answer.env
ExecStart=/opt/link/bin/answer ${ADDRESS} ${PORT}
Restart=on-success
RestartSec=10ms
"""

ANSWERING_IMAGE: Mapping[str, bytes | Link] = {
    "opt/link/bin/answer": ANSWERING_PROGRAM,
    "etc/systemd/system/answer.service": ANSWERING_UNIT,
}

ANSWERING_USER_DATA = """## template: jinja
#cloud-config
write_files:
  - path: /etc/answer.env
    content: |
      ADDRESS={{ ds.meta_data.local_ipv4 }}
      PORT=3400
runcmd:
  - systemctl enable --now answer
"""


def answer_of(address: str, port: int = PORT) -> str | None:
    """What the answering program at `address` says; None when nobody listens there."""
    try:
        with socket.create_connection((address, port), timeout=2) as connection:
            return connection.recv(100).decode()
    except ConnectionRefusedError:
        return None


@dataclass(frozen=True)
class Cloud:
    """One cloud's API, in a test's words."""

    settings: Settings
    subnet: str

    @property
    def ec2(self) -> Any:
        return client(self.settings, "ec2")

    def image(self, files: Mapping[str, bytes | Link]) -> str:
        return register_image(self.settings, "test", files, {})

    def run(self, image: str, user_data: str = "") -> str:
        """Start one instance; its id."""
        run = self.ec2.run_instances(ImageId=image, SubnetId=self.subnet, MinCount=1, MaxCount=1, UserData=user_data)
        return str(run["Instances"][0]["InstanceId"])

    def instance(self, instance_id: str) -> Any:
        return self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]

    def address(self, instance_id: str) -> str:
        return str(self.instance(instance_id)["PrivateIpAddress"])

    def await_state(self, instance_id: str, state: str) -> Any:
        """The instance once it is in `state`."""

        def look() -> Any:
            seen = self.instance(instance_id)
            return seen if seen["State"]["Name"] == state else None

        try:
            return eventually(f"{instance_id} is {state}", look)
        except AssertionError as late:
            pytest.fail(f"{late}; its console says:\n{self.console(instance_id)}")

    def console(self, instance_id: str) -> str:
        output = self.ec2.get_console_output(InstanceId=instance_id)["Output"]
        return str(output)

    def answering(self) -> str:
        """A running instance whose one unit answers at port 3400 of its own address with the instance's id."""
        instance = self.run(self.image(ANSWERING_IMAGE), ANSWERING_USER_DATA)
        self.await_state(instance, "running")
        eventually(f"{instance} answers", lambda: answer_of(self.address(instance)))
        return instance


def make_subnet(settings: Settings, cidr: str) -> str:
    ec2 = client(settings, "ec2")
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"])


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    settings = Settings(home=tmp_path_factory.mktemp("cloud"), port=free_port())
    machines = Machines(settings)
    machines.install()
    server = start_server(settings)
    machines.start()
    cloud = Cloud(settings, make_subnet(settings, "127.34.0.0/17"))
    yield cloud
    remove_everything(cloud)
    machines.stop()
    server.stop()


def remove_everything(cloud: Cloud) -> None:
    """moto's records belong to the whole process: leave none to other tests."""
    here = [{"Name": "subnet-id", "Values": [cloud.subnet]}]
    reservations = cloud.ec2.describe_instances(Filters=here)["Reservations"]
    instances = [instance["InstanceId"] for each in reservations for instance in each["Instances"]]
    if instances:
        cloud.ec2.terminate_instances(InstanceIds=instances)
    left = [*here, {"Name": "instance-state-name", "Values": ["shutting-down"]}]
    eventually("all instances are terminated", lambda: not cloud.ec2.describe_instances(Filters=left)["Reservations"])
    vpc = cloud.ec2.describe_subnets(SubnetIds=[cloud.subnet])["Subnets"][0]["VpcId"]
    cloud.ec2.delete_subnet(SubnetId=cloud.subnet)
    cloud.ec2.delete_vpc(VpcId=vpc)


@pytest.fixture
def unique() -> str:
    """A name that no other test has."""
    return f"machines-{uuid.uuid4().hex[:8]}"
