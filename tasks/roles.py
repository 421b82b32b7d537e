"""A role is a folder of data: `roles/<name>/role.toml` says what the component is, here it becomes a `Role`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from tasks.errors import NotFound, RoleInvalid, SizeOutOfBounds
from tasks.model import Noun, Patience, RoleName

FOLDER = Path(__file__).resolve().parent.parent / "roles"


class Size(Noun):
    """How many machines a group has when nobody says otherwise, and its bounds."""

    default: int = Field(ge=0)
    min: int = Field(ge=0)
    max: int = Field(ge=1)

    @model_validator(mode="after")
    def in_order(self) -> Size:
        """The default lies within the bounds."""
        if not self.min <= self.default <= self.max:
            raise ValueError(f"min {self.min} <= default {self.default} <= max {self.max} does not hold")
        return self


class HealthCheck(Noun):
    """Where a healthy member answers HTTP 200."""

    port: int = Field(ge=1, le=65535)
    path: str = Field(default="/health", pattern="^/")


class ByLoadBalancer(Noun):
    """Live is what the weights of one listener rule say; a switch is one rule write carrying all weights."""

    kind: Literal["load-balancer"]
    balancer: Literal["public", "internal"]
    path: str = "/*"
    priority: int = Field(ge=1, le=50000)
    deregistration_delay: int = Field(default=60, ge=0, le=3600)
    open_to: tuple[str, ...] = ()
    """Who may reach the balancer: CIDR blocks, or `network` for the VPC itself. Nobody unless it is said."""


class ByRegistry(Noun):
    """Live is what one etcd key says; a switch is one transaction on it.

    Members register themselves under `records`; every machine of the role `watched_by` must see them up first.
    """

    kind: Literal["registry"]
    pointer: str
    records: str
    watched_by: RoleName


class ByNothing(Noun):
    """It asks for its own work, or is asked by name: there is nothing to switch."""

    kind: Literal["none"]


Traffic = Annotated[ByLoadBalancer | ByRegistry | ByNothing, Field(discriminator="kind")]


class Access(Noun):
    """Who may open connections to the role's machines.

    `from`: another role, `stack` (every machine of the stack), or `operator` (the machine that runs Tyrell).
    """

    source: str = Field(alias="from")
    ports: str = Field(pattern=r"^\d+(-\d+)?$")

    @property
    def first(self) -> int:
        """The lowest port."""
        return int(self.ports.split("-")[0])

    @property
    def last(self) -> int:
        """The highest port."""
        return int(self.ports.split("-")[-1])


class Permission(Noun):
    """What the role's machines may do: IAM actions on resources of the base stack (`*` where AWS knows no narrower)."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


class Service(Noun):
    """One systemd unit, or, with `first_port` and `count`, one per port (`name@port`)."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    command: str
    environment: dict[str, str] = Field(default_factory=dict)
    state_directory: str = ""
    restart: Literal["on-success", "always"] = "on-success"
    """`always` for a service that keeps data: a crash must not cost the machine they lie on."""
    first_port: int = 0
    count: int = Field(default=1, ge=1)

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


class Role(Noun):
    """A component of the stack, as its folder describes it."""

    name: RoleName
    description: str
    needs: tuple[RoleName, ...] = ()
    """Roles that must be healthy before this one is deployed."""
    instance_type: str
    volume_gib: int = Field(default=16, ge=8)
    grace_period: int = Field(default=60, ge=0)
    """Seconds a new machine has before a failed health check of the balancer replaces it."""
    size: Size
    patience: Patience
    health: HealthCheck
    traffic: Traffic
    access: tuple[Access, ...] = ()
    permissions: tuple[Permission, ...] = ()
    services: tuple[Service, ...]

    @property
    def members_per_machine(self) -> int:
        """How many units serve on one machine."""
        return sum(len(service.units) for service in self.services)

    def check_size(self, size: int) -> int:
        """`size` itself. Raises SizeOutOfBounds."""
        if not self.size.min <= size <= self.size.max:
            raise SizeOutOfBounds(self.name, size, self.size.min, self.size.max)
        return size


def role_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Every role there is: the folders that hold a `role.toml`."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/role.toml")))


@lru_cache(maxsize=64)
def load_role(name: str, folder: Path = FOLDER) -> Role:
    """The role of that name. Raises NotFound, or RoleInvalid naming file and key."""
    path = folder / name / "role.toml"
    if not path.is_file():
        raise NotFound(f"role {name!r}", f"there are {', '.join(role_names(folder))}")
    shown = f"roles/{name}/role.toml"
    try:
        return Role.model_validate({"name": name, **tomllib.loads(path.read_text())})
    except tomllib.TOMLDecodeError as error:
        raise RoleInvalid(shown, str(error)) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        problem = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise RoleInvalid(shown, f"{key}: {problem}") from None


def in_stages(roles: Iterable[Role]) -> list[list[Role]]:
    """The roles in the order of their needs: those of one stage can be deployed at the same time.

    A need that is not among `roles` counts as met. Raises RoleInvalid when roles need each other in a circle.
    """
    waiting = {role.name: role for role in roles}
    stages: list[list[Role]] = []
    while waiting:
        ready = [role for role in waiting.values() if not waiting.keys() & set(role.needs)]
        if not ready:
            raise RoleInvalid("roles", f"{', '.join(sorted(waiting))} need each other in a circle")
        stages.append(ready)
        waiting = {name: role for name, role in waiting.items() if role not in ready}
    return stages
