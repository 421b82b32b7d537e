"""What a role's file may say, part by part: its size, its health check, how traffic reaches it, its services."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tasks.model import Noun, RoleName


class Size(Noun):
    """How many machines a group has when nobody says otherwise, and its bounds."""

    default: int = Field(ge=0)
    """Machines of a new group."""
    min: int = Field(ge=0)
    """The fewest that it may be given."""
    max: int = Field(ge=1)
    """The most that it may be given."""

    @model_validator(mode="after")
    def in_order(self) -> Size:
        """The default lies within the bounds."""
        if not self.min <= self.default <= self.max:
            raise ValueError(f"min {self.min} <= default {self.default} <= max {self.max} does not hold")
        return self


class HealthCheck(Noun):
    """Where a healthy member answers HTTP 200; one that listens nowhere is healthy as long as its machine works."""

    port: int = Field(default=0, ge=0, le=65535)
    """0: nowhere."""
    path: str = Field(default="/health", pattern="^/")
    """Where a healthy member answers 200."""
    path_v2: str = Field(default="/health", pattern="^/")
    """That of the original component, which runs where the registry has the v2 API."""


class ByLoadBalancer(Noun):
    """Live is what the weights of one listener rule say; a switch is one rule write carrying all weights."""

    kind: Literal["load-balancer"]
    balancer: Literal["public", "internal"]
    """The one that tenants reach, or the one inside the network."""
    path: str = "/*"
    """The path pattern of its rule."""
    priority: int = Field(ge=1, le=50000)
    """Of the rule; unique on that balancer."""
    deregistration_delay: int = Field(default=60, ge=0, le=3600)
    """Seconds that requests in flight may take when a machine leaves."""
    drain: str = Field(default="", pattern="^(|/.*)$")
    """Where a machine takes `POST` to close its WebSockets gently; empty when it has none that last."""
    open_to: tuple[str, ...] = ()
    """Who may reach the balancer: CIDR blocks, or `network` for the VPC itself. Nobody unless it is said."""


class ByRegistry(Noun):
    """Live is what one etcd key says; a switch is one transaction on it.

    Members register themselves under `records`; every machine of the role `watched_by` must see them up first.
    """

    kind: Literal["registry"]
    pointer: str
    """The key that says which version is live."""
    records: str
    """The prefix below which its members register."""
    watched_by: RoleName
    """The role whose machines pass requests on to the members."""
    peers: str
    """Where connected hubs are recorded, each with the member it is connected to."""
    members_per_tenant: int = Field(default=2, ge=1)
    """Members that each tenant has."""
    restart: str = Field(default="", pattern="^(|/.*)$")
    """Where a member takes `DELETE` to start anew, free and without connections."""


class ByQueue(Noun):
    """Live is what an etcd key says; only machines of that version are started, as many as its queue needs.

    They end by themselves. Queues and bucket are named by their outputs of the base stack.
    """

    kind: Literal["queue"]
    queue: str
    """What waits for its machines."""
    dead_letters: str
    """Where messages go that cannot be parsed."""
    bucket: str
    """Where its machines write."""
    messages_per_second: float = Field(gt=0)
    """What one machine does."""
    drain_time: timedelta = Field(default=timedelta(minutes=30), gt=timedelta())
    """In which all that waits should be done: so many machines are started, within the role's size."""
    time_limit: timedelta = Field(default=timedelta(minutes=45), gt=timedelta())
    """After which a machine ends although there is more."""
    max_age: timedelta = Field(default=timedelta(hours=3), gt=timedelta())
    """How old the oldest message may become before somebody has to know."""


class ByNothing(Noun):
    """It asks for its own work, or is asked by name: there is nothing to switch."""

    kind: Literal["none"]


Traffic = Annotated[ByLoadBalancer | ByRegistry | ByQueue | ByNothing, Field(discriminator="kind")]


class Access(Noun):
    """Who may open connections to the role's machines.

    `from`: another role, `stack` (every machine of the stack), or `operator` (the machine that runs Tyrell).
    """

    source: str = Field(alias="from")
    """Who."""
    ports: str = Field(pattern=r"^\d+(-\d+)?$")
    """One port, or a range as `3000-3020`."""

    @property
    def first(self) -> int:
        """The lowest port."""
        return int(self.ports.split("-")[0])

    @property
    def last(self) -> int:
        """The highest port."""
        return int(self.ports.split("-")[-1])


class Permission(Noun):
    """What the role's machines may do: IAM actions on resources of the base stack (`*` where AWS knows no narrower).

    `<bucket>/<keys>` are objects of a bucket, `group` are the role's own Auto Scaling groups, `roles` the IAM
    roles that its versions bring along, `secret:<name>` is a secret of the stack.
    """

    actions: tuple[str, ...]
    """As IAM names them."""
    resources: tuple[str, ...]
    """Outputs of the base stack, or one of the forms above."""


class Service(Noun):
    """One systemd unit, or, with `first_port` and `count`, one per port (`name@port`)."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """Of its unit."""
    command: str
    """A program in /opt/link/bin of the machine image."""
    image: str = ""
    """A ready-made Docker image of its own, any reference, in place of its role's: baked in if it can be had."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables, beside those that every service gets."""
    environment_from: str = ""
    """A program of its role's image that prints the rest of its environment before it starts, and waits for that."""
    files: dict[str, str] = Field(default_factory=dict)
    """Folders below its role's that it reads, each with the path at which its container has it."""
    state_directory: str = ""
    """Below /var/lib, for a service that keeps data."""
    state_owner: int = Field(default=900, ge=0)
    """The number of the user whose its state is: the one that its image runs as."""
    port: int = Field(default=0, ge=0, le=65535)
    """Where a service of a role that stands alone answers HTTP, through the load balancer; 0: nowhere."""
    reads_journal: bool = False
    """Whether it reads what the machine's units say."""
    restart: Literal["on-success", "on-failure", "always", "no"] = "on-success"
    """`always` for a service that keeps data: a crash must not cost the machine they lie on. `on-failure`: it may end
    for good, but not by a crash. `no`: it ends for good."""
    essential: bool = True
    """Whether its machine is replaced when it fails for good."""
    everywhere: bool = False
    """Whether it runs on the machines of all roles of that kind of machine image."""
    stop_within: int = Field(default=20, ge=1, le=100)
    """Seconds it has after SIGTERM. A machine that is terminated has not many more."""
    first_port: int = 0
    """The lowest port of its units; 0: it is one unit."""
    count: int = Field(default=1, ge=1)
    """How many units, one a port."""

    @property
    def unit(self) -> str:
        """The unit file's name."""
        return f"{self.name}@.service" if self.first_port else f"{self.name}.service"

    @property
    def units(self) -> tuple[str, ...]:
        """The units to start on a machine."""
        if not self.first_port:
            return (self.unit,)
        return tuple(f"{self.name}@{self.first_port + index}.service" for index in range(self.count))
