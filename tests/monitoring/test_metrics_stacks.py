"""A metrics stack as a person has it: made, made again, its machine and its data lost, restored, gone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from functools import partial
from pathlib import Path

import httpx
import pytest

from tasks.amis import find_without
from tasks.clients import cloudformation, ec2, elbv2, route53, s3
from tasks.influxdb import query, write
from tasks.monitoring.stacks import find_metrics
from tasks.monitoring.storage import backup_bucket
from tasks.monitoring.users import find_admin
from tasks.secrets import find_secret
from tests.flows.embedded import Tyrell
from tests.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.influxdb]

NAME = "demo-metrics"


def points() -> list[float]:
    """The values that `put` has put there."""
    found = query(find_admin(NAME), "SELECT value FROM written", "telegraf")
    return [row[1] for series in found for row in series.rows]


def put(value: int) -> None:
    """One point."""
    write(find_admin(NAME), "telegraf", [f"written value={value}"])


def volume() -> str:
    """The id of the volume with the data."""
    found = ec2().describe_volumes(Filters=[{"Name": "tag:tyrell:volume", "Values": [NAME]}])["Volumes"]
    (there,) = (each["VolumeId"] for each in found if each["State"] not in {"deleting", "deleted"})
    return there


def test_it_is_made_whole_and_making_it_again_changes_nothing(cloud: Tyrell, metrics: list[str]) -> None:
    assert "created database linkusage" in metrics
    assert "created InfluxDB's administrator" in metrics
    sums = [row[0] for series in query(find_admin(NAME), "SHOW CONTINUOUS QUERIES") for row in series.rows]
    assert sums == [f"cq.linkusage.hub_{name}.sum" for name in ("http_count", "messages_bytes", "messages_count")]
    assert cloud.json("metrics", "up", NAME)["changes"] == []
    assert cloud.json("metrics", "status", NAME)["problem"] == ""


def test_what_its_machine_image_is_without_is_said_and_has_no_listener(cloud: Tyrell, metrics: list[str]) -> None:
    ami = find_metrics(NAME).parameters["Image"]
    assert find_without(ami) == ("grafana", "loki")
    said = cloud.ok("metrics", "up", NAME)
    assert f"skipped grafana: not in machine image {ami}; `tyrell metrics report STACK` draws" in said
    assert f"skipped loki: not in machine image {ami}" in said
    (balancer,) = elbv2().describe_load_balancers()["LoadBalancers"]
    listeners = elbv2().describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert {each["Port"] for each in listeners} == {8086, 8087}


def test_no_password_is_anywhere_but_in_its_secret(cloud: Tyrell, metrics: list[str]) -> None:
    passwords = [(find_secret(f"tyrell/{NAME}/{user}") or {})["password"] for user in ("admin", "reader")]
    stack = find_metrics(NAME)
    told = [str(metrics), stack.model_dump_json(), str(cloudformation().get_template(StackName=NAME)["TemplateBody"])]
    told += [file.read_text(errors="replace") for file in cloud.home.rglob("*.log")]
    resource = cloudformation().describe_stack_resource(StackName=NAME, LogicalResourceId="LaunchTemplate")
    template = resource["StackResourceDetail"].get("PhysicalResourceId", "")
    told.append(str(ec2().describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]))
    for password in passwords:
        assert not [text[:80] for text in told if password in text]


def test_its_machine_dies_and_the_next_one_has_the_data(cloud: Tyrell, metrics: list[str]) -> None:
    put(1)
    before = _machine(cloud)
    killed = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"INSTANCE_ID={before}".encode() in environment:
            os.kill(int(folder.name), signal.SIGKILL)
            killed += 1
    assert killed
    ec2().terminate_instances(InstanceIds=[before])
    eventually("another machine serves", lambda: _machine(cloud) not in {"", before} and _serves(cloud), seconds=60)
    assert 1 in points()


def _machine(cloud: Tyrell) -> str:
    instances = cloud.json("local", "status")["instances"]
    running = [each["id"] for each in instances if each["name"] == NAME and each["state"] == "running"]
    return str(running[0]) if running else ""


def _serves(cloud: Tyrell) -> bool:
    return cloud.run("metrics", "status", NAME).returncode == 0


def test_the_volume_is_lost_and_a_backup_brings_everything_back(cloud: Tyrell, metrics: list[str]) -> None:
    put(2)
    cloud.ok("metrics", "backup", NAME)
    before, lost = points(), volume()
    cloud.ok("metrics", "down", NAME, "--yes")
    ec2().delete_volume(VolumeId=lost)
    changes = cloud.json("metrics", "up", NAME, "--network", "demo-network")["changes"]
    assert "created InfluxDB's administrator" in changes
    assert volume() != lost
    assert points() == []
    put(3)
    restored = cloud.json("metrics", "restore", NAME, "--yes")
    (told,) = (change for change in restored["changes"] if change.startswith("restored "))
    assert re.fullmatch(
        r"restored (linkusage, )?telegraf from influxdb/backup-\S+", told
    )  # with usage, if there is any
    assert points() == before
    assert cloud.json("metrics", "up", NAME)["changes"] == []


def test_a_broken_backup_is_refused_and_nothing_is_lost(cloud: Tyrell, metrics: list[str]) -> None:
    put(4)
    s3().put_object(Bucket=backup_bucket(NAME), Key="influxdb/broken", Body=b"broken", Metadata={"sha256": "0" * 64})
    before = points()
    done = cloud.run("metrics", "restore", NAME, "--backup", "influxdb/broken", "--yes")
    assert done.returncode == 1
    assert "restore of influxdb/broken of metrics stack demo-metrics failed: the archive is not what was" in done.stderr
    assert "Traceback" not in done.stderr
    assert points() == before


@pytest.mark.long
def test_a_setup_that_is_killed_anywhere_is_finished_by_the_same_command(cloud: Tyrell, metrics: list[str]) -> None:
    for step in ("volume of other", "apply stack other", "administrator of other", "user reader of other"):
        process = cloud.started("metrics", "up", "other", "--network", "demo-network")
        eventually(f"{step} is begun", partial(_begun, cloud, step, process), seconds=60)
        process.kill()
        process.wait(10)
    cloud.json("metrics", "up", "other")
    assert cloud.json("metrics", "up", "other")["changes"] == []
    found = ec2().describe_volumes(Filters=[{"Name": "tag:tyrell:volume", "Values": ["other"]}])["Volumes"]
    assert len(found) == 1
    cloud.ok("metrics", "down", "other", "--yes", "--delete-data", "--yes-delete-data", "other")
    assert find_secret("tyrell/other/admin") is None


def _begun(cloud: Tyrell, step: str, process: subprocess.Popen[bytes]) -> bool:
    url = cloud.cloud_environment["PREFECT_API_URL"]
    named = {"task_runs": {"name": {"any_": [step]}}}
    return process.poll() is not None or bool(httpx.post(f"{url}/task_runs/filter", json=named).json())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["up", "nowhere"], "metrics stack nowhere is not there yet: say where it is to lie with --network"),
        (["up", "nowhere", "--network", "none"], "network none does not exist; `tyrell network none` makes it"),
        (["up", "demo-network", "--network", "demo-network"], "is taken by a stack that is no metrics of Tyrell's"),
        (["up", NAME, "--open-to", "0.0.0.0/0"], "open_to 0.0.0.0/0 is the whole world; name the networks of people"),
        (["up", NAME, "--zone", "example.org"], "hosted zone example.org in this account does not exist"),
        (["attach", "none", NAME], "stack none does not exist"),
        (["status", "none"], "metrics stack none does not exist"),
        (["restore", NAME, "--backup", "none", "--yes"], "backup none does not exist; there are: "),
        (["down", NAME, "--yes", "--delete-data"], "is to be said twice: --yes-delete-data demo-metrics"),
    ],
)
def test_what_cannot_be_is_one_sentence(cloud: Tyrell, metrics: list[str], words: list[str], told: str) -> None:
    done = cloud.run("metrics", *words)
    assert done.returncode == 2
    assert told in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_it_gets_a_name_in_a_zone_of_ours(cloud: Tyrell, metrics: list[str]) -> None:
    zone = route53().create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    host = find_metrics(NAME).outputs["Host"]
    assert f"{NAME}.example.com leads to {host}" in cloud.json("metrics", "assign", NAME, "example.com")["changes"]
    assert cloud.json("metrics", "assign", NAME, "example.com")["changes"] == []
    records = route53().list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [each["ResourceRecords"] for each in records if each["Type"] == "CNAME"] == [[{"Value": host}]]
