"""The faults that the embedded cloud can be given, as data: what goes wrong, where, and from which call on."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from tyrell.local.faults.services import creations


class _Fault(BaseModel):
    """Calls are named as `service.Operation` by boto3's names, and may hold `*`: `ec2.*`, `elbv2.Modify*`.

    Calls of S3 and Route 53 are named by their HTTP method: `s3.PUT`. Times are in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class CallFault(_Fault):
    """Goes wrong in calls of the AWS API, those that the cloud makes to itself left out.

    latency: is answered `seconds` later · throttling, server-error, access-denied: is refused with the service's own
    error · lost-answer: takes effect, but the connection breaks before the answer · stalled-request, stalled-answer:
    stands still, before or after it takes effect, for `seconds` (0: until the fault is cleared), and is never answered
    · not-found: what it creates is not found for `seconds` · no-capacity: EC2 has none left; the one that also meets
    launches of Auto Scaling.
    """

    kind: Literal[
        "latency",
        "throttling",
        "server-error",
        "access-denied",
        "lost-answer",
        "stalled-request",
        "stalled-answer",
        "not-found",
        "no-capacity",
    ]
    call: str = Field("*", min_length=1, description="the calls it meets")
    nth: int = Field(0, ge=0, description="only the n-th of them since it was added; 0: every one")
    share: float = Field(1.0, gt=0, le=1, description="of these, the share that goes wrong")
    seed: int = Field(0, description="which of them do, when it is not all: the same seed, the same calls")
    seconds: float = Field(0.0, ge=0)

    @model_validator(mode="after")
    def can_happen(self) -> CallFault:
        """A fault that could strike nobody would only look like one that was survived."""
        if self.kind == "no-capacity" and not self.call.startswith("ec2."):
            raise ValueError("only EC2 runs out of capacity: give a call such as ec2.RunInstances")
        if self.kind == "not-found" and not any(fnmatchcase(name, self.call) for name in creations()):
            raise ValueError(f"of {self.call} it is not known what it creates; known are {', '.join(creations())}")
        return self


class MachineFault(_Fault):
    """Goes wrong in instances, those that run and those that will.

    never-boots: runs, but nothing on it starts · slow-boot: starts `seconds` later · dies: `seconds` after its start
    (of one that runs: after the fault) · freezes: stands still for `seconds` (0: until the fault is cleared) · flaps:
    stands still for `seconds`, works for `up`, and so on.
    """

    kind: Literal["never-boots", "slow-boot", "dies", "freezes", "flaps"]
    machines: str = Field("*", min_length=1, description="names of the instances, may hold *")
    count: int = Field(0, ge=0, description="only the first so many of them; 0: all")
    call: str = Field("", description="begins with this call; without it at once")
    nth: int = Field(1, ge=1, description="the n-th of these calls")
    seconds: float = Field(0.0, ge=0)
    up: float = Field(1.0, gt=0)


class BalancerFault(_Fault):
    """no-health: load balancers reach the targets of these target groups for requests, but not for health checks."""

    kind: Literal["no-health"]
    target_groups: str = Field("*", min_length=1, description="names of the target groups, may hold *")
    call: str = Field("", description="begins with this call; without it at once")
    nth: int = Field(1, ge=1, description="the n-th of these calls")


class ServerFault(_Fault):
    """Goes wrong in what runs lean on.

    prefect-gone: the Prefect server answers nobody for `seconds` (0: until the fault is cleared) · lease-loss: the etcd
    of these machines ends every lock that a run holds there, once.
    """

    kind: Literal["prefect-gone", "lease-loss"]
    machines: str = Field("*-core-services*", min_length=1, description="names of the instances, may hold *")
    call: str = Field("", description="begins with this call; without it at once")
    nth: int = Field(1, ge=1, description="the n-th of these calls")
    seconds: float = Field(0.0, ge=0)


Fault = Annotated[CallFault | MachineFault | BalancerFault | ServerFault, Field(discriminator="kind")]
FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)


class Given(BaseModel):
    """A fault that the cloud has been given: its number, and whom it has struck so far, oldest first."""

    model_config = ConfigDict(frozen=True)

    id: int
    fault: Fault
    struck: tuple[str, ...] = ()
