"""The commands that are disturbed, in rounds: each begins with what the one before has left, the first with the end."""

from __future__ import annotations

from dataclasses import dataclass

STACK, OTHER = "demo", "other"
OLD, NEW = "blue", "green"

UNJUDGED = ("--no-gate", "--pause", "0", "--steady", "0")
SMALL = ("--size", "router=1", "--size", "target=1", "--size", "tenant-mgmt-api=1")
AFTER_A_KILL = ("--wait", "60")
ON_STACK = ("--stack", STACK)


@dataclass(frozen=True)
class Command:
    """The words of a `tyrell` command.

    `launches` says that it waits for machines of the version `NEW`; `gone` is what it may say instead of succeeding
    when an earlier run of it had done everything.
    """

    name: str
    words: tuple[str, ...]
    launches: bool = False
    gone: str = ""
    sampled: bool = False
    """It takes long: only the first call of each kind is a row, and only some troubles come."""


@dataclass(frozen=True)
class Round:
    """Commands on one role of one stack that together change nothing; `mend` puts back what one of them has spoilt."""

    stack: str
    role: str
    commands: tuple[Command, ...]
    mend: tuple[tuple[str, ...], ...]


def _replacement(role: str, *steps: str) -> Round:
    """A version comes, takes over, and goes again; then a machine does."""
    on = (*AFTER_A_KILL, *ON_STACK)
    upgrade = ("upgrade", role, "--to", NEW, "--force", *UNJUDGED, *steps, *on)
    retire = ("retire", role, NEW, "--force", *on)
    return Round(
        STACK,
        role,
        (
            Command(f"deploy {role}", ("deploy", role, "--version", NEW, "--size", "1", *on), launches=True),
            Command(f"upgrade {role}", upgrade),
            Command(f"roll {role} back", ("rollback", role, OLD, *on)),
            Command(f"retire {role}", retire, gone=f"version {NEW} of {role}"),
            Command(f"scale {role} out", ("scale", role, "2", *on)),
            Command(f"scale {role} in", ("scale", role, "1", *on)),
        ),
        mend=(("switch", role, OLD, *on), retire, ("scale", role, "1", *on)),
    )


_DOWN = ("down", OTHER, "--yes", "--delete-data")

ROUNDS = {
    "router": _replacement("router", "--steps", "50,100"),
    "target": _replacement("target"),
    "stack": Round(
        OTHER,
        "router",
        (
            Command("bring up", ("up", OTHER, "--network", f"{STACK}-network", "--version", OLD, *SMALL), sampled=True),
            Command("tear down", _DOWN, gone=f"stack {OTHER}", sampled=True),
        ),
        mend=(_DOWN,),
    ),
}
"""An upgrade of the role with weights, one of the role with a pointer, and a whole stack."""

COMMANDS = {command.name: command for each in ROUNDS.values() for command in each.commands}
