"""Everything that can go wrong, as one tree:

    TyrellError                    says one sentence: what, where, what to do
    ├── Transient                  the only kind that is tried again
    │   ├── EtcdUnreachable
    │   └── InfluxUnreachable
    ├── UsageError                 the person asked for something that cannot be (exit code 2)
    │   ├── RoleInvalid
    │   ├── NotFound
    │   ├── SizeOutOfBounds
    │   ├── CalendarHolds          the stack's calendar lets no such change begin now
    │   ├── CalendarInvalid        a stack's calendar says something that cannot be
    │   └── WouldLose              an update would replace or remove what the person did not name
    ├── StackFailed                CloudFormation said no
    ├── Expired                    a wait reached its deadline
    ├── Stopped                    a wait was given up because the run was stopped
    ├── RunCancelled               somebody cancelled the run in Prefect
    ├── Unfinished                 a run failed half-way; says how to go on and how to remove what it made
    ├── Conflict                   somebody else changed it first
    ├── LockHeld                   somebody else is changing it
    ├── DataLost                   etcd has not all it had, and nobody deleted it
    ├── LockLost                   our lock has expired: nothing more may be written
    ├── NotReady                   refused: what should receive traffic is not healthy
    ├── Disproved                  a release was tried and is bad
    ├── QueueGone                  a stack's queue is not there any more
    ├── QueueTooOld                messages wait longer than they may
    ├── InfluxDenied               InfluxDB does not know its user, or he may not do that
    ├── InfluxRefused              InfluxDB understood, and said no
    ├── Refused                    a person said no, or nobody said yes in time
    ├── KeeperFailed           a backup or a restore of metrics did not work
    ├── PlanOutdated               the world is not as it was when a plan was made
    ├── LeftBehind                 a merge of buckets could not take every object along
    └── RolledBack                 an upgrade failed and the old version serves as before

Errors hold facts and survive pickling, because Prefect sends them between processes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from tasks.merged import Merged


class TyrellError(Exception):
    """Base of all: `str()` is the sentence a user reads."""

    def __post_init__(self) -> None:
        # Exceptions are pickled by their `args`; a dataclass does not fill them in by itself.
        self.args = tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]


class Transient(TyrellError):
    """May work when tried again."""


class UsageError(TyrellError):
    """The request itself is wrong; trying again changes nothing."""


@dataclass(eq=False)
class EtcdUnreachable(Transient):
    """No member of the stack's etcd answered."""

    stack: str
    endpoints: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        tried = ", ".join(self.endpoints) or "no running member found"
        return f"etcd of stack {self.stack} is unreachable ({tried}): {self.reason}; look at its core-services machines"


@dataclass(eq=False)
class InfluxUnreachable(Transient):
    """InfluxDB gave no answer, or a server's error."""

    url: str
    reason: str

    def __str__(self) -> str:
        return f"InfluxDB at {self.url} does not answer: {self.reason}; look at `tyrell metrics status`"


@dataclass(eq=False)
class RoleInvalid(UsageError):
    """A role's folder says something that cannot be."""

    file: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


@dataclass(eq=False)
class NotFound(UsageError):
    """Something that was named does not exist; `instead` says which do, or what makes one."""

    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.what} does not exist; {self.instead}"


def no_stack(stack: str) -> NotFound:
    """There is no stack of that name."""
    return NotFound(f"stack {stack}", f"`tyrell up {stack}` makes it")


def nothing_live(role: str) -> NotFound:
    """No version of the role is at work."""
    return NotFound(f"a live version of {role}", f"`tyrell switch {role} VERSION` makes one live")


@dataclass(eq=False)
class SizeOutOfBounds(UsageError):
    """A group cannot have that many machines."""

    role: str
    size: int
    min: int
    max: int

    def __str__(self) -> str:
        return (
            f"size {self.size} of {self.role} is outside its bounds {self.min} to {self.max}"
            f" (roles/{self.role}/role.toml)"
        )


@dataclass(eq=False)
class WouldLose(UsageError):
    """An update of a CloudFormation stack would replace or remove resources that nobody named.

    `losses` says by logical id what would become of each; `instead`, what to do.
    """

    stack: str
    losses: dict[str, str]
    instead: str

    def __str__(self) -> str:
        told = "; ".join(f"{name}: {loss}" for name, loss in self.losses.items())
        return f"the update of stack {self.stack} is refused and nothing was changed: {told}; {self.instead}"


@dataclass(eq=False)
class CalendarHolds(UsageError):
    """The stack's calendar lets no such change begin now; `opening` is empty when it never will."""

    stack: str
    what: str
    reason: str
    opening: str

    def __str__(self) -> str:
        opening = f"the next opening is {self.opening}" if self.opening else "there is no next opening"
        return (
            f"{self.stack} is {self.reason}, so no {self.what} may begin; {opening};"
            " do it anyway with --override-calendar 'why'"
        )


@dataclass(eq=False)
class CalendarInvalid(UsageError):
    """A calendar says something that cannot be."""

    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where} is broken: {self.problem}; docs/calendar.md says what it may hold"


@dataclass(eq=False)
class StackFailed(TyrellError):
    """A CloudFormation stack ended in a state that is not the one asked for."""

    stack: str
    status: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"CloudFormation stack {self.stack} is {self.status}: {'; '.join(self.reasons) or 'no reason given'}"


@dataclass(eq=False)
class Expired(TyrellError):
    """A wait reached its deadline."""

    what: str
    seconds: float
    last: str

    def __str__(self) -> str:
        return f"gave up waiting for {self.what} after {self.seconds:g} s; last seen: {self.last}"


@dataclass(eq=False)
class Stopped(TyrellError):
    """The run was stopped while it waited."""

    what: str

    def __str__(self) -> str:
        return f"stopped while waiting for {self.what}; run it again to go on"


@dataclass(eq=False)
class RunCancelled(TyrellError):
    """Somebody cancelled the run in Prefect."""

    name: str

    def __str__(self) -> str:
        return f"the run `{self.name}` was cancelled in Prefect; run the same command again to go on where it was"


@dataclass(eq=False)
class Unfinished(TyrellError):
    """A run failed after it had made something."""

    reason: str
    undo: str

    def __str__(self) -> str:
        return f"{self.reason}; run it again to go on, or `{self.undo}` to remove what was made"


@dataclass(eq=False)
class Conflict(TyrellError):
    """What was to be changed is not what was looked at."""

    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.what} changed meanwhile: expected {self.expected}, found {self.found}; look again and repeat"


@dataclass(eq=False)
class NotReady(TyrellError):
    """Traffic is refused to something that is not healthy."""

    what: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.what} cannot take traffic: {'; '.join(self.problems)}"


@dataclass(eq=False)
class LockHeld(TyrellError):
    """Another run is changing the role."""

    role: str
    stack: str
    holder: str
    since: str
    doing: str
    seconds: int

    def __str__(self) -> str:
        return (
            f"{self.role} of stack {self.stack} is locked by {self.holder} since {self.since}: {self.doing};"
            f" wait for it with --wait (it expires {self.seconds} s after that run has died)"
        )


@dataclass(eq=False)
class DataLost(TyrellError):
    """Keys of a stack's etcd are not as they were, and its history does not say why."""

    stack: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"etcd of stack {self.stack} lost data: {'; '.join(self.problems)}; nothing more is replaced, and no"
            " machine goes: look at its core-services machines before you run it again"
        )


@dataclass(eq=False)
class LockLost(TyrellError):
    """The lock expired, and somebody else may have it."""

    role: str
    stack: str
    holder: str

    def __str__(self) -> str:
        return (
            f"lost the lock of {self.role} of stack {self.stack} ({self.holder} has it now), so nothing more is"
            f" written; look at `tyrell versions {self.role}` and run it again"
        )


@dataclass(eq=False)
class Disproved(TyrellError):
    """A release did not do what it has to."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} is bad: {self.reason}"


@dataclass(eq=False)
class QueueGone(TyrellError):
    """A queue that a base stack has made does not exist."""

    url: str

    def __str__(self) -> str:
        return (
            f"queue {self.url} is gone, though its stack has it: what the targets send is lost until there is a queue"
            f" of that name again (make it by hand, SQS allows that 60 s after the deletion)"
        )


@dataclass(eq=False)
class QueueTooOld(TyrellError):
    """The oldest message of a queue is older than it may be."""

    role: str
    url: str
    waiting: int
    seconds: int
    limit: int
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.role} is late: the oldest of {self.waiting} messages in {self.url} is {self.seconds} s old, the"
            f" limit is {self.limit} s; {self.reason}; look at `tyrell workers status`"
        )


@dataclass(eq=False)
class InfluxDenied(TyrellError):
    """InfluxDB does not accept the user's name and password, or the user may not do that."""

    url: str
    username: str
    reason: str

    def __str__(self) -> str:
        return f"InfluxDB at {self.url} denies it to user {self.username}: {self.reason}; look at the user's secret"


@dataclass(eq=False)
class InfluxRefused(TyrellError):
    """InfluxDB said no to what it was asked or given."""

    url: str
    asked: str
    reason: str

    def __str__(self) -> str:
        return f"InfluxDB at {self.url} refused `{self.asked}`: {self.reason}"


@dataclass(eq=False)
class Refused(TyrellError):
    """A step that needs a person's yes did not get it."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} was not approved: {self.reason}"


@dataclass(eq=False)
class KeeperFailed(TyrellError):
    """The keeper of a metrics stack could not do what it was asked."""

    metrics: str
    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} of metrics stack {self.metrics} failed: {self.reason}"


@dataclass(eq=False)
class PlanOutdated(TyrellError):
    """A plan rests on something that is not so any more."""

    what: str
    then: str
    now: str

    def __str__(self) -> str:
        return f"the plan was made when {self.what} was: {self.then}; now it is: {self.now}; plan again"


@dataclass(eq=False)
class LeftBehind(TyrellError):
    """Objects of the old bucket could not be merged, and are where they were; all others were."""

    merged: Merged

    def __str__(self) -> str:
        return str(self.merged)


@dataclass(eq=False)
class RolledBack(TyrellError):
    """An upgrade failed; traffic is where it was before."""

    what: str
    back_to: str
    reason: str

    def __str__(self) -> str:
        return f"rolled {self.what} back to {self.back_to}: {self.reason}"
