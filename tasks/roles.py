"""A role is a folder of data: `roles/<name>/role.toml` says what the component is, here it becomes a `Role`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from tasks.errors import NotFound, RoleInvalid, SizeOutOfBounds, UsageError
from tasks.model import Noun, Patience, RoleName
from tasks.role_parts import Access, HealthCheck, Permission, Service, Size, Traffic
from tasks.rollouts import Rollout, Strategy

FOLDER = Path(__file__).resolve().parent.parent / "roles"

ImageKind = Literal["link", "worker", "metrics", "flows"]
"""The kinds of machine image."""


class Role(Noun):
    """A component of the stack, as its folder describes it."""

    name: RoleName
    description: str
    """What it is, in one sentence."""
    needs: tuple[RoleName, ...] = ()
    """Roles that must be healthy before this one is deployed."""
    stands_alone: bool = False
    """It is no part of any Link stack: a stack of its own kind is made of it."""
    on_request: bool = False
    """It is in a stack only where somebody has deployed it: a bring-up does not."""
    secrets: dict[str, str] = Field(default_factory=dict)
    """Secrets of the stack, `tyrell/STACK/NAME`, without which it is not deployed, each with what makes it."""
    machine_image: ImageKind = "link"
    """The kind of machine image that its machines are made of."""
    image: str = ""
    """A ready-made Docker image, any reference, in place of the one that its Dockerfile makes."""
    programs: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Programs of its Docker image, beside those of its services, that all machines of the kind have in /opt/link/bin.

    Each with the variables that it takes from whoever calls it."""
    instance_type: str
    """EC2's type of its machines."""
    volume_gib: int = Field(default=16, ge=8)
    """Its root volume, encrypted gp3."""
    grace_period: int = Field(default=60, ge=0)
    """Seconds a new machine has before a failed health check of the balancer replaces it."""
    size: Size
    patience: Patience
    health: HealthCheck = HealthCheck()
    traffic: Traffic
    rollout: Rollout = Rollout()
    access: tuple[Access, ...] = ()
    permissions: tuple[Permission, ...] = ()
    services: tuple[Service, ...]
    """The first one is what its Docker image runs when it is not told otherwise."""

    @model_validator(mode="after")
    def can_be_replaced(self) -> Role:
        """The strategy fits the kind of traffic."""
        check_strategy(self, self.rollout.strategy)
        return self

    @property
    def ready_made(self) -> tuple[str, ...]:
        """The services with a Docker image of their own, without which a machine image may be baked."""
        return tuple(service.name for service in self.services if service.image)

    def without(self, names: Iterable[str]) -> Role:
        """The role on machines whose image was baked without these services."""
        left = tuple(service for service in self.services if service.name not in set(names))
        return self.model_copy(update={"services": left})

    @property
    def keeps_data(self) -> bool:
        """Whether some of its services have data on their machine."""
        return any(service.state_directory for service in self.services)

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports that the members of one machine listen on."""
        numbered = [service for service in self.services if service.first_port]
        ports = [service.first_port + index for service in numbered for index in range(service.count)]
        return tuple(ports) or (self.health.port,)

    @property
    def members_per_machine(self) -> int:
        """How many members serve on one machine."""
        return len(self.ports)

    def check_size(self, size: int) -> int:
        """`size` itself. Raises SizeOutOfBounds; UsageError when nobody but its queue has a say in it."""
        if self.traffic.kind == "queue":
            raise UsageError(
                f"how many machines {self.name} has follows from its queue; `tyrell workers run-now` starts some"
            )
        if not self.size.min <= size <= self.size.max:
            raise SizeOutOfBounds(self.name, size, self.size.min, self.size.max)
        return size


def check_strategy(role: Role, strategy: Strategy) -> None:
    """Raises ValueError when versions of the role cannot replace one another like that."""
    by_traffic = strategy in {Strategy.canary, Strategy.blue_green}
    if by_traffic and role.traffic.kind == "none":
        raise ValueError(f"strategy {strategy} moves traffic and {role.name} has none; choose rolling or recreate")
    if not by_traffic and role.traffic.kind != "none":
        raise ValueError(f"strategy {strategy} is for roles without traffic; choose canary or blue-green")
    if strategy is Strategy.canary and role.traffic.kind in {"registry", "queue"}:
        raise ValueError(f"traffic of {role.name} moves all at once (one key in etcd says where); choose blue-green")
    if strategy is Strategy.recreate and role.keeps_data:
        raise ValueError(f"machines of {role.name} keep data that strategy recreate would lose; choose rolling")


def role_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """The roles that a Link stack may consist of."""
    return tuple(name for name in all_role_names(folder) if not load_role(name, folder).stands_alone)


def roles_beside(others: Iterable[str], folder: Path = FOLDER) -> tuple[Role, ...]:
    """The roles that a Link stack consists of when these `others`, which stand alone, are there for it."""
    alone = set(all_role_names(folder)) - set(role_names(folder)) - set(others)
    roles = (load_role(name, folder) for name in role_names(folder))
    return tuple(role for role in roles if not role.on_request and not alone & set(role.needs))


def all_role_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Every role there is: the folders that hold a `role.toml`."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/role.toml")))


def roles_on(kind: str, folder: Path = FOLDER) -> tuple[Role, ...]:
    """The roles whose machines are made of machine images of this kind."""
    roles = (load_role(name, folder) for name in all_role_names(folder))
    return tuple(role for role in roles if role.machine_image == kind)


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


def machine_services(role: Role) -> tuple[Service, ...]:
    """What the machines of the role run: its own services, and those that other roles have for all machines."""
    others = (load_role(name) for name in role_names() if name != role.name)
    shared = (other.services for other in others if other.machine_image == role.machine_image)
    return role.services + tuple(service for services in shared for service in services if service.everywhere)


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
