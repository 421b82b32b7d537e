"""EC2 and S3: what outlives a metrics stack: the volume with the data, the bucket with the backups."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tasks.buckets import find_bucket
from tasks.clients import ec2, s3, sts
from tasks.errors import NotFound
from tasks.model import Changes, Metrics, Noun, Patience
from tasks.stacks import find_stack, token
from tasks.steps import step
from tasks.waits import NotYet, wait_until

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import VolumeTypeDef

KEPT_DAYS = 30
"""Backups are."""
_PATIENCE = Patience(timeout=timedelta(minutes=5), every=timedelta(seconds=0.25))


class Storage(Noun):
    """Where a metrics stack has its data."""

    volume: str
    subnet: str
    """In the volume's zone: its machine has to be there, too."""
    bucket: str


def find_storage(metrics: Metrics) -> Storage:
    """Where the metrics stack has its data. Raises NotFound when there is no volume."""
    volume = _find_volume(metrics.name)
    if volume is None:
        raise NotFound(f"a volume tagged tyrell:volume={metrics.name}", f"`tyrell metrics up {metrics.name}` makes it")
    subnet = _subnets(metrics.network)[volume["AvailabilityZone"]]
    return Storage(volume=volume["VolumeId"], subnet=subnet, bucket=backup_bucket(metrics.name))


@step("volume of {metrics.name}", system="ec2")
def create_volume(metrics: Metrics) -> Changes:
    """Create the volume for the data, encrypted, unless it is there: then it keeps its size and its zone."""
    name = metrics.name
    changes: Changes = ()
    if _find_volume(name) is None:
        zone = min(_subnets(metrics.network))
        tags = {"Name": f"{name}-data", "tyrell:metrics": name, "tyrell:volume": name}
        ec2().create_volume(
            ClientToken=token("volume"),
            AvailabilityZone=zone,
            Size=metrics.disk_gib,
            VolumeType="gp3",
            Encrypted=True,
            TagSpecifications=[
                {"ResourceType": "volume", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            ],
        )
        changes = (f"created a volume of {metrics.disk_gib} GiB in {zone}",)

    def look() -> bool | NotYet:
        volume = _find_volume(name)
        return True if volume and volume["State"] in {"available", "in-use"} else NotYet("it is being created")

    wait_until(f"the volume of {name}", look, _PATIENCE)
    return changes


@step("delete volume of {name}", system="ec2")
def delete_volume(name: str) -> Changes:
    """Delete the volume and the data on it, once no machine has it any more."""

    def look() -> bool | NotYet:
        volume = _find_volume(name)
        if volume is None or volume["State"] == "available":
            return True
        holders = ", ".join(each["InstanceId"] for each in volume["Attachments"])
        return NotYet(f"it is {volume['State']}, {holders or 'nobody'} has it")

    wait_until(f"the volume of {name} to be free", look, _PATIENCE)
    volume = _find_volume(name)
    if volume is None:
        return ()
    try:
        ec2().delete_volume(VolumeId=volume["VolumeId"])
    except ClientError as error:  # the answer was lost, and the client has made the call again
        if error.response["Error"]["Code"] != "InvalidVolume.NotFound":
            raise
    return (f"deleted volume {volume['VolumeId']}",)


def backup_bucket(name: str) -> str:
    """The bucket of the backups: one for each account and region, since S3's names are everybody's."""
    return f"{name}-backups-{sts().get_caller_identity()['Account']}-{s3().meta.region_name}"


@step("backup bucket of {name}", system="s3")
def create_backup_bucket(name: str) -> Changes:
    """Create the bucket, private and encrypted, and let backups go after KEPT_DAYS.

    New buckets are both by themselves: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
    and https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
    """
    bucket = backup_bucket(name)
    if find_bucket(bucket):
        return ()
    region = s3().meta.region_name
    # us-east-1 may not be said: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3().create_bucket(Bucket=bucket, **where)  # type: ignore[arg-type]
    except ClientError as error:  # the answer was lost, and the client has made the call again
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    s3().put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "backups",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "Expiration": {"Days": KEPT_DAYS},
                }
            ]
        },
    )
    return (f"created bucket {bucket}",)


def _find_volume(name: str) -> VolumeTypeDef | None:
    pages = ec2().get_paginator("describe_volumes").paginate(Filters=[{"Name": "tag:tyrell:volume", "Values": [name]}])
    there = [each for page in pages for each in page["Volumes"] if each["State"] not in {"deleting", "deleted"}]
    return there[0] if there else None


def _subnets(network: str) -> dict[str, str]:
    """The network's private subnets by their zones."""
    found = find_stack(network)
    ids = (found.outputs.get("PrivateSubnets", "") if found else "").split(",")
    return {each["AvailabilityZone"]: each["SubnetId"] for each in ec2().describe_subnets(SubnetIds=ids)["Subnets"]}
