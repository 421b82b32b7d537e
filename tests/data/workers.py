"""What tests of data workers do to queues, and look at afterwards."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import aiohttp
import boto3

from flows.scale_workers import scale_workers
from tasks.groups import find_groups
from tasks.queues import find_queue
from tasks.workers import Crew, find_crews, worker_roles
from tests.link.data_queue import device_message
from tests.waiting import eventually

SOON = 120
"""Seconds."""


def crews() -> dict[str, Crew]:
    """The workers and their queues now, by role."""
    return {crew.role: crew for crew in find_crews("demo", worker_roles())}


def use(url: str, tenant: str) -> None:
    """Have a tenant's WebSocket open until some readings have come: targets report devices and usage."""
    asyncio.run(_read_events(url, tenant))


async def _read_events(url: str, tenant: str) -> None:
    headers = {"x-apigee-iot-tenant-id": tenant}
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/events", headers=headers) as ws:
        for _ in range(8):
            await asyncio.wait_for(ws.receive_json(), 10)


def send(tenant: str) -> None:
    """Both queues hold a message of this tenant, such as targets send every half a minute."""
    usage = {"upload": round(time.time() * 1000), "headers": {"x-apigee-iot-tenant-id": tenant}}
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=crews()["device-data-worker"].queue, MessageBody=device_message(1, tenant))
    sqs.send_message(QueueUrl=crews()["usage-worker"].queue, MessageBody=json.dumps(usage))
    await_messages()


def await_messages() -> None:
    """Both queues tell that they hold something."""
    eventually("both queues to hold something", lambda: all(crew.waiting for crew in crews().values()), SOON)


def run_now(*roles: str, at_most: int | None = None, watch: timedelta = timedelta(minutes=2)) -> tuple[Crew, ...]:
    """What `tyrell workers run-now` does, in this process."""
    return scale_workers("demo", roles, run=True, at_most=at_most, watch=watch)


def lines(tenant: str, bucket: str) -> list[Any]:
    """All that the stack's bucket holds of a tenant."""
    s3 = boto3.client("s3")
    name = find_queue("demo", bucket)  # any output of the base stack
    found = s3.list_objects_v2(Bucket=name, Prefix=f"{tenant}/").get("Contents", [])
    bodies = [s3.get_object(Bucket=name, Key=each["Key"])["Body"].read().decode() for each in found]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def launched(role: str) -> set[str]:
    """The ids of all machines that the role has ever had."""
    autoscaling = boto3.client("autoscaling")
    return {
        activity["Description"].split()[-1]
        for group in find_groups("demo", role)
        for activity in autoscaling.describe_scaling_activities(AutoScalingGroupName=group.name)["Activities"]
        if activity["Description"].startswith("Launching")
    }
