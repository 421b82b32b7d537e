"""The shared nouns: what a stack, a role, a version and a release are. Frozen data; imports neither boto3 nor Prefect.

Every noun refuses fields it does not know, so a typing error in a file or a form is found where it was made.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tasks.spelling import Spelling

_WORD = "lower-case letters, digits and dashes, a letter first and no dash last"

STACK = Spelling(r"[a-z]([a-z0-9-]{0,22}[a-z0-9])?", f"1 to 24 {_WORD}", "demo")
"""Short enough to leave room for role and version in the names that AWS limits."""

NETWORK = Spelling(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", f"1 to 32 {_WORD}", "demo-network")
ROLE = Spelling(NETWORK.pattern, NETWORK.rule, "router")

VERSION = Spelling(r"[a-z0-9]{1,16}", "1 to 16 lower-case letters and digits", "1a2b3c4d")
"""No dashes: `<stack>-<role>-<version>` stays readable. Identity is in tags, never parsed from the name."""

StackName = Annotated[str, STACK]
NetworkName = Annotated[str, NETWORK]
RoleName = Annotated[str, ROLE]
VersionId = Annotated[str, VERSION]

RegistryApiName = Literal["v3", "v2"]
"""The API of etcd that a stack's service registry is kept with."""


def _keep_order(schema: dict[str, Any]) -> None:
    """Number the fields of a form: a server on PostgreSQL has them in the order of their names' lengths."""
    for position, field in enumerate(schema.get("properties", {}).values()):
        field["position"] = position


class Noun(BaseModel):
    """A frozen record that refuses unknown fields; in a form its fields have their order and their docstrings."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, json_schema_extra=_keep_order)


class Patience(Noun):
    """How long to wait for something, and how often to look."""

    timeout: timedelta = timedelta(minutes=15)
    """How long at most."""
    every: timedelta = timedelta(seconds=1)
    """How often to look at first."""


class Network(Noun):
    """A VPC with four public and four private subnets; several stacks may share it."""

    name: NetworkName
    """Its name; its CloudFormation stack has the same one."""
    cidr: IPv4Network = IPv4Network("10.0.0.0/16")
    """Its addresses, a /16 to /24; they never change."""
    public_cidrs: tuple[IPv4Network, ...] = ()
    """Four subnets; without them equal parts of the first half of its addresses."""
    private_cidrs: tuple[IPv4Network, ...] = ()
    """Four subnets; without them the parts after those."""
    nat: Literal["one", "per-zone"] = "one"
    """How many NAT gateways let its private subnets out."""

    @model_validator(mode="after")
    def subnets_fit(self) -> Network:
        """Refuse what AWS would refuse only half-way through the stack."""
        if not 16 <= self.cidr.prefixlen <= 24:
            raise ValueError(f"cidr {self.cidr} must be a /16 to /24: eight subnets of at least /28 have to fit")
        for given, kind in ((self.public_cidrs, "public_cidrs"), (self.private_cidrs, "private_cidrs")):
            if len(given) not in {0, 4}:
                raise ValueError(f"{kind} must name four subnets or none, not {len(given)}")
        subnets = self.public + self.private
        for index, subnet in enumerate(subnets):
            if not subnet.subnet_of(self.cidr):
                raise ValueError(f"subnet {subnet} is not inside {self.cidr}")
            if subnet.prefixlen > 28:
                raise ValueError(f"subnet {subnet} is too small: AWS takes /28 at least")
            for other in subnets[:index]:
                if subnet.overlaps(other):
                    raise ValueError(f"subnets {other} and {subnet} overlap")
        return self

    @property
    def public(self) -> tuple[IPv4Network, ...]:
        """The four public subnets, one a zone."""
        return self.public_cidrs or tuple(self.cidr.subnets(prefixlen_diff=4))[:4]

    @property
    def private(self) -> tuple[IPv4Network, ...]:
        """The four private subnets, one a zone."""
        return self.private_cidrs or tuple(self.cidr.subnets(prefixlen_diff=4))[4:8]


class Stack(Noun):
    """One Link environment: its name, the network it lies in and the port its public balancer listens on."""

    name: StackName
    """Its name; its base's CloudFormation stack has the same one."""
    network: NetworkName
    """The network it lies in."""
    port: int = Field(default=80, ge=1, le=65535)
    """The port its balancers listen on."""
    device_data_bucket: str = ""
    """An existing bucket for device data; without it one of its own."""
    usage_bucket: str = ""
    """An existing bucket for usage; without it one of its own."""
    registry_api: RegistryApiName = "v3"
    """v2 is for the original Link components, which know no other; that of a stack never changes."""


class Metrics(Noun):
    """A metrics stack: its name, its network, and who may look at it beside the stacks that are attached to it."""

    name: StackName
    """Its name; its CloudFormation stack has the same one."""
    network: NetworkName
    """The network it lies in; the stacks that write to it lie there, too."""
    disk_gib: int = Field(default=40, ge=1, le=16384)
    """The size of the volume with the data, when it is made."""
    keep_days: int = Field(default=90, ge=1)
    """How long metrics are kept; usage is kept for ever."""
    open_to: tuple[IPv4Network, ...] = ()
    """The networks of people who may open Grafana, InfluxDB and the log search."""
    zone: str = ""
    """The hosted zone in which it gets the name `<name>.<zone>`."""

    @model_validator(mode="after")
    def not_for_everybody(self) -> Metrics:
        """Refuse to open it to the world."""
        for network in self.open_to:
            if not network.prefixlen:
                raise ValueError(f"open_to {network} is the whole world; name the networks of people")
        return self

    @property
    def domain(self) -> str:
        """Its name in the zone; empty without one."""
        return f"{self.name}.{self.zone.rstrip('.')}" if self.zone else ""


class Release(Noun):
    """What a version is made of: a machine image and the id of its contents."""

    id: VersionId
    """What its contents are called."""
    ami: str = Field(pattern=r"^ami-[0-9a-f]+$")
    """The machine image."""


class Version(Noun):
    """One immutable release of a role in a stack: its own CloudFormation stack with its own group."""

    stack: StackName
    """The stack it is a part of."""
    role: RoleName
    """The role it is a version of."""
    id: VersionId
    """Its name among the versions of the role."""

    @property
    def stack_name(self) -> str:
        """The name of its CloudFormation stack; for people, identity is in the tags."""
        return f"{self.stack}-{self.role}-{self.id}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags by which its stack, group and instances are found."""
        return {"tyrell:stack": self.stack, "tyrell:role": self.role, "tyrell:version": self.id}


class Machine(Noun):
    """An instance of a group, as Auto Scaling and EC2 describe it."""

    id: str
    address: str
    lifecycle: str
    """Auto Scaling's lifecycle state: `Pending`, `InService`, `Terminating` ..."""

    def __str__(self) -> str:
        return f"{self.id} ({self.address})" if self.address else self.id


class Group(Noun):
    """A version's Auto Scaling group."""

    name: str
    version: Version
    release: str
    min: int
    max: int
    desired: int
    target_groups: tuple[str, ...]
    machines: tuple[Machine, ...]
    tags: dict[str, str] = Field(default_factory=dict)
    subnets: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    """The processes of Auto Scaling that are suspended."""

    @property
    def in_service(self) -> tuple[Machine, ...]:
        """The machines that Auto Scaling counts as working."""
        return tuple(machine for machine in self.machines if machine.lifecycle == "InService")


class Health(Noun):
    """How many of the members that should serve really do, and what keeps each other one from it."""

    healthy: int
    wanted: int
    problems: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """All that were asked for are healthy. All of nothing is not healthy."""
        return self.healthy >= self.wanted > 0


class Row(Noun):
    """One version in the overview of a stack."""

    role: str
    version: str
    group: str
    healthy: int
    wanted: int
    machines: int
    desired: int
    traffic: int | None
    """Percent of the role's traffic; None when the role has none to give, or nobody can tell."""
    problems: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the version has all it should have."""
        return self.healthy >= self.wanted and self.machines >= self.desired


class Overview(Noun):
    """A stack at one moment, as the world tells it."""

    stack: str
    url: str
    internal_url: str
    rows: tuple[Row, ...]


Changes = tuple[str, ...]
"""What a flow changed, one sentence each, in order; empty when there was nothing to do."""
