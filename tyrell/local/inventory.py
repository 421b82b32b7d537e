"""What runs on the embedded cloud right now, asked through its own API."""

from __future__ import annotations

from botocore.exceptions import ClientError
from pydantic import BaseModel
from rich.table import Table

from tasks.errors import NotFound, TyrellError
from tyrell.local.aws import client
from tyrell.local.state import State, default_home, read_state
from tyrell.run import out


class Instance(BaseModel):
    """An instance as EC2 describes it."""

    id: str
    name: str
    address: str
    state: str
    reason: str


class Balancer(BaseModel):
    """A load balancer as ELBv2 describes it."""

    name: str
    address: str
    state: str


class Inventory(BaseModel):
    """A cloud that is up, its instances (the recently ended ones too) and its load balancers."""

    endpoint: str
    prefect: str
    home: str
    instances: list[Instance]
    balancers: list[Balancer]


def running() -> State:
    """The cloud that is up. Raises TyrellError when none is."""
    state = read_state(default_home())
    if state is None:
        raise TyrellError("the embedded cloud is not up; start it with `tyrell local up`")
    return state


def find_inventory() -> Inventory:
    """What runs now. Raises TyrellError when the cloud is not up."""
    state = running()
    pages = client(state.settings, "ec2").get_paginator("describe_instances").paginate()
    found = [each for page in pages for reservation in page["Reservations"] for each in reservation["Instances"]]
    instances = [
        Instance(
            id=each["InstanceId"],
            name={tag["Key"]: tag["Value"] for tag in each.get("Tags", [])}.get("Name", ""),
            address=each.get("PrivateIpAddress", ""),
            state=each["State"]["Name"],
            reason=each.get("StateTransitionReason", ""),
        )
        for each in found
    ]
    balancers = client(state.settings, "elbv2").describe_load_balancers()["LoadBalancers"]
    return Inventory(
        endpoint=state.settings.endpoint,
        prefect=state.prefect_url if state.prefect_port else "",
        home=str(state.settings.home),
        instances=sorted(instances, key=lambda each: (each.name, each.address)),
        balancers=[
            Balancer(name=each["LoadBalancerName"], address=each["DNSName"], state=each["State"]["Code"])
            for each in balancers
        ],
    )


def show_inventory(inventory: Inventory) -> None:
    """The inventory as tables."""
    out.print(f"AWS API {inventory.endpoint}  Prefect {inventory.prefect or 'not started'}  in {inventory.home}")
    table = Table("instance", "name", "address", "state", "why")
    for each in inventory.instances:
        table.add_row(each.id, each.name, each.address, each.state, each.reason)
    out.print(table)
    table = Table("load balancer", "address", "state")
    for balancer in inventory.balancers:
        table.add_row(balancer.name, balancer.address, balancer.state)
    out.print(table)


def find_console(instance: str) -> str:
    """The console output of an instance. Raises NotFound naming the instances there are."""
    settings = running().settings
    try:
        answer = client(settings, "ec2").get_console_output(InstanceId=instance)
    except ClientError as error:
        if "InvalidInstanceID" not in error.response["Error"]["Code"]:
            raise
        known = ", ".join(each.id for each in find_inventory().instances) or "none"
        raise NotFound(f"instance {instance}", f"there are {known}") from None
    return str(answer["Output"])
