"""AWS for the tests: moto's server in this process, on loopback."""

import contextlib
import logging
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3

HOST = "127.31.0.2"
REGION = "eu-central-1"


class Aws:
    """The server's address, and clients and settings to use it with."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.variables = {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        return session.client(service, endpoint_url=self.url)  # type: ignore[call-overload]


@contextlib.contextmanager
def aws_server() -> Iterator[Aws]:
    """Run the server on a free port, with nothing in it."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  takes seconds, and few tests need it

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        reset = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
        urllib.request.urlopen(reset, timeout=60).close()  # noqa: S310  our own URL
        yield Aws(f"http://{host}:{port}")
    finally:
        server.stop()


class MachineGroup:
    """An Auto Scaling group whose machines have the addresses we choose."""

    def __init__(self, aws: Aws, name: str, network: str, tags: dict[str, str]) -> None:
        self._ec2 = aws.client("ec2")
        self._groups = aws.client("autoscaling")
        self._name = name
        self._tags = [{"Key": key, "Value": value} for key, value in tags.items()]
        vpc = self._ec2.create_vpc(CidrBlock=network)["Vpc"]["VpcId"]
        self._subnet = self._ec2.create_subnet(VpcId=vpc, CidrBlock=network)["Subnet"]["SubnetId"]
        self._image = self._ec2.register_image(Name=f"{name} {network}")["ImageId"]
        self._ids: dict[str, str] = {}
        self._groups.create_launch_configuration(
            LaunchConfigurationName=name, ImageId=self._image, InstanceType="t3.micro"
        )
        self._groups.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchConfigurationName=name,
            MinSize=0,
            MaxSize=9,
            DesiredCapacity=0,
            VPCZoneIdentifier=self._subnet,
        )

    def add(self, address: str) -> None:
        """Put a machine with this address into the group, which then wants one more."""
        started = self._ec2.run_instances(
            ImageId=self._image,
            MinCount=1,
            MaxCount=1,
            SubnetId=self._subnet,
            PrivateIpAddress=address,
            TagSpecifications=[{"ResourceType": "instance", "Tags": self._tags}] if self._tags else [],
        )
        self._ids[address] = started["Instances"][0]["InstanceId"]
        self._groups.attach_instances(InstanceIds=[self._ids[address]], AutoScalingGroupName=self._name)

    def remove(self, address: str) -> None:
        """Terminate the machine; the group then wants one less."""
        instance = self._ids.pop(address)
        self._groups.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=True)
