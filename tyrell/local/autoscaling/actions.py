"""What the engine can do to a group: `reconcile` chooses it, `act` does it."""

from __future__ import annotations

from dataclasses import dataclass

from tyrell.local.autoscaling.records import Transition


@dataclass(frozen=True)
class Launch:
    """Start one instance in that subnet."""

    subnet: str
    cause: str


@dataclass(frozen=True)
class HoldForHooks:
    """Let the group's hooks for `transition` hold the instance (Pending:Wait or Terminating:Wait)."""

    instance_id: str
    transition: Transition


@dataclass(frozen=True)
class PutInService:
    """The instance runs and nothing holds it: it may work."""

    instance_id: str


@dataclass(frozen=True)
class MarkUnhealthy:
    """A health check failed; `sickness` ends the sentence 'taken out of service in response to ...'."""

    instance_id: str
    sickness: str


@dataclass(frozen=True)
class TakeOut:
    """Begin to terminate the instance. `failed_launch` says why it never came into service, if it did not."""

    instance_id: str
    cause: str
    failed_launch: str = ""


@dataclass(frozen=True)
class Register:
    """Put the instance into these target groups (ARNs)."""

    instance_id: str
    target_groups: frozenset[str]


@dataclass(frozen=True)
class Deregister:
    """Take the instance out of these target groups (ARNs); they drain it."""

    instance_id: str
    target_groups: frozenset[str]


@dataclass(frozen=True)
class StandBy:
    """The instance is out of all target groups: it stands by."""

    instance_id: str


@dataclass(frozen=True)
class Terminate:
    """Ask EC2 to terminate the instance."""

    instance_id: str


@dataclass(frozen=True)
class Forget:
    """The instance is terminated: the group no longer has it."""

    instance_id: str


Deed = Launch | Register | Deregister | Terminate
"""Done to the rest of the cloud, which takes time and can be refused."""
Note = HoldForHooks | PutInService | MarkUnhealthy | TakeOut | StandBy | Forget
"""Done to the records alone."""
Action = Deed | Note
