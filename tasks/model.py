"""The shared nouns: what a stack, a role, a version and a release are. Frozen data; imports neither boto3 nor Prefect.

Every noun refuses fields it does not know, so a typing error in a file or a form is found where it was made.
"""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _matching(pattern: str, rule: str) -> AfterValidator:
    """Refuse a text that does not match `pattern` with a sentence that says the `rule`."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text!r} cannot be used: write {rule}")
        return text

    return AfterValidator(check)


_WORD = "lower-case letters, digits and dashes, a letter first and no dash last"

StackName = Annotated[str, _matching(r"[a-z]([a-z0-9-]{0,22}[a-z0-9])?", f"1 to 24 {_WORD}")]
"""Short enough to leave room for role and version in the names that AWS limits."""

NetworkName = Annotated[str, _matching(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", f"1 to 32 {_WORD}")]
RoleName = Annotated[str, _matching(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", f"1 to 32 {_WORD}")]

RegistryApiName = Literal["v3", "v2"]
"""The API of etcd that a stack's service registry is kept with."""

VersionId = Annotated[str, _matching(r"[a-z0-9]{1,16}", "1 to 16 lower-case letters and digits")]
"""No dashes: `<stack>-<role>-<version>` stays readable. Identity is in tags, never parsed from the name."""


class Noun(BaseModel):
    """A frozen record that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Patience(Noun):
    """How long to wait for something, and how often to look."""

    timeout: timedelta = timedelta(minutes=15)
    every: timedelta = timedelta(seconds=1)


class Network(Noun):
    """A VPC with four public and four private subnets; several stacks may share it.

    `cidr` is a /16 to /24; the eight subnets are equal parts of its first half unless they are given.
    """

    name: NetworkName
    cidr: IPv4Network = IPv4Network("10.0.0.0/16")
    public_cidrs: tuple[IPv4Network, ...] = ()
    private_cidrs: tuple[IPv4Network, ...] = ()
    nat: Literal["one", "per-zone"] = "one"

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
    network: NetworkName
    port: int = Field(default=80, ge=1, le=65535)
    device_data_bucket: str = ""
    usage_bucket: str = ""
    registry_api: RegistryApiName = "v3"
    """v2 is for the original Link components, which know no other; that of a stack never changes."""


class Metrics(Noun):
    """A metrics stack: its name, its network, and who may look at it beside the stacks that are attached to it."""

    name: StackName
    network: NetworkName
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
    ami: str = Field(pattern=r"^ami-[0-9a-f]+$")


class Version(Noun):
    """One immutable release of a role in a stack: its own CloudFormation stack with its own group."""

    stack: StackName
    role: RoleName
    id: VersionId

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


class Overview(Noun):
    """A stack at one moment, as the world tells it."""

    stack: str
    url: str
    internal_url: str
    rows: tuple[Row, ...]


Changes = tuple[str, ...]
"""What a flow changed, one sentence each, in order; empty when there was nothing to do."""
