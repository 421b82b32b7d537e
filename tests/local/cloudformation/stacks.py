"""A user of CloudFormation: creates stacks, waits for them and reads what happened."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from tests.waiting import free_port
from tyrell.local.aws import client
from tyrell.local.cloudformation.engine import CloudFormation
from tyrell.local.cloudformation.records import Stack
from tyrell.local.faults.switches import Switches
from tyrell.local.server import start_server
from tyrell.local.settings import Settings

TEMPLATES = Path(__file__).parent / "templates"
PATIENCE = 20
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


def template(name: str) -> str:
    """A template of the folder `templates`."""
    return (TEMPLATES / name).read_text()


def unique(prefix: str = "stack") -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def parameters(values: dict[str, str]) -> list[dict[str, str]]:
    """Parameters as the API wants them."""
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def chain(length: int) -> str:
    """A template whose resources are created one after the other."""
    links = "".join(
        f"  Gateway{number}: {{Type: AWS::EC2::InternetGateway, DependsOn: Gateway{number - 1}}}\n"
        for number in range(1, length)
    )
    return f"Resources:\n  Gateway0: {{Type: AWS::EC2::InternetGateway}}\n{links}"


def wait_until_settled(stack: Stack) -> None:
    """Wait until no operation runs; on the record itself, for asking the API all the time would slow the engine."""
    deadline = time.monotonic() + PATIENCE
    while stack.busy:
        assert time.monotonic() < deadline, f"{stack.name} is still {stack.status} after {PATIENCE} s"
        threading.Event().wait(0.005)


class Stacks:
    """Calls through boto3; every wait has a deadline."""

    def __init__(self, engine: CloudFormation) -> None:
        self.engine = engine
        self.cloudformation = self.client("cloudformation")

    def client(self, service: str) -> Any:
        """A boto3 client of the same cloud."""
        return client(self.engine.settings, service)

    def begin(self, body: str, name: str | None = None, given: dict[str, str] | None = None, **options: Any) -> str:
        """CreateStack; answers the id while the creation goes on."""
        stack_id: str = self.cloudformation.create_stack(
            StackName=name or unique(),
            TemplateBody=body,
            Parameters=parameters(given or {}),
            Capabilities=CAPABILITIES,
            **options,
        )["StackId"]
        return stack_id

    def create(self, body: str, name: str | None = None, given: dict[str, str] | None = None, **options: Any) -> str:
        """A stack whose creation has ended, well or not; answers its id."""
        stack_id = self.begin(body, name, given, **options)
        self.settle(stack_id)
        return stack_id

    def update(self, stack_id: str, body: str, given: dict[str, str] | None = None, **options: Any) -> str:
        """Update a stack and answer the status it ends in."""
        self.cloudformation.update_stack(
            StackName=stack_id,
            TemplateBody=body,
            Parameters=parameters(given or {}),
            Capabilities=CAPABILITIES,
            **options,
        )
        return self.settle(stack_id)

    def delete(self, stack_id: str, **options: Any) -> str:
        """Delete a stack and answer the status it ends in."""
        self.cloudformation.delete_stack(StackName=stack_id, **options)
        return self.settle(stack_id)

    def describe(self, stack_id: str) -> dict[str, Any]:
        """The stack as DescribeStacks shows it."""
        found: dict[str, Any] = self.cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        return found

    def settle(self, stack_id: str) -> str:
        """Wait until no operation runs on the stack; answers its status."""
        wait_until_settled(self.engine.store.find(stack_id))
        return str(self.describe(stack_id)["StackStatus"])

    def outputs(self, stack_id: str) -> dict[str, str]:
        """Outputs by key."""
        return {output["OutputKey"]: output["OutputValue"] for output in self.describe(stack_id).get("Outputs", [])}

    def physical_id(self, stack_id: str, logical_id: str) -> str:
        """The physical id of one resource."""
        found = self.cloudformation.describe_stack_resource(StackName=stack_id, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def events(self, stack_id: str, logical_id: str | None = None) -> list[tuple[str, str]]:
        """Status and reason of every event, the oldest first: of one resource, or of the stack itself."""
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        events = [event for page in pages for event in page["StackEvents"]][::-1]
        wanted = logical_id or self.describe(stack_id)["StackName"]
        return [
            (event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in events
            if event["LogicalResourceId"] == wanted
        ]

    def statuses(self, stack_id: str, logical_id: str | None = None) -> list[str]:
        """The statuses that a resource, or the stack itself, has passed through."""
        passed = [status for status, _ in self.events(stack_id, logical_id)]
        return [status for number, status in enumerate(passed) if number == 0 or status != passed[number - 1]]


@contextmanager
def running_engine(home: Path, faults: Switches | None = None) -> Iterator[CloudFormation]:
    """An engine on moto's stock services while the block runs, its API served at `engine.settings.endpoint`.

    `faults` is what goes wrong in it.
    """
    settings = Settings(home=home, port=free_port(), network=IPv4Network("127.32.0.0/16"))
    engine = CloudFormation(settings)
    engine.install()
    engine.start()
    server = start_server(settings, faults)
    # the first request binds the server to this engine, whatever other tests install later
    Stacks(engine).cloudformation.list_stacks()
    try:
        yield engine
    finally:
        _delete_all(engine)
        engine.stop()
        server.stop()


def _delete_all(engine: CloudFormation) -> None:
    """Every stack, the newest first: importers come after exporters. moto's records outlive the tests."""
    for stack in engine.store.stacks():
        stack.protected = False
        engine.delete(stack, ())
        wait_until_settled(stack)
