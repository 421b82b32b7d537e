"""The commands that are disturbed, in rounds: each begins with what the one before has left, the first with the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    """It takes long, or is much like another one: only some troubles come."""
    slow: bool = False
    """Even kills come only at the first call of each kind."""


@dataclass(frozen=True)
class Round:
    """Commands on one role of one stack that together change nothing; `mend` puts back what one of them has spoilt.

    `before` makes what they begin with, and `after` takes it away.
    """

    stack: str
    role: str
    commands: tuple[Command, ...]
    mend: tuple[tuple[str, ...], ...]
    before: tuple[Command, ...] = ()
    after: tuple[Command, ...] = ()


def _replacement(role: str, *steps: str, sampled: bool = False) -> dict[str, Round]:
    """A version comes and goes; one takes over and gives back; a machine comes and goes."""

    def command(name: str, *words: str, **more: Any) -> Command:
        return Command(name, (*words, *AFTER_A_KILL, *ON_STACK), sampled=sampled, **more)

    deploy = command(f"deploy {role}", "deploy", role, "--version", NEW, "--size", "1", launches=True)
    upgrade = command(f"upgrade {role}", "upgrade", role, "--to", NEW, "--force", *UNJUDGED, *steps)
    roll_back = command(f"roll {role} back", "rollback", role, OLD)
    retire = command(f"retire {role}", "retire", role, NEW, "--force", gone=f"version {NEW} of {role}")
    grow = command(f"scale {role} out", "scale", role, "2")
    shrink = command(f"scale {role} in", "scale", role, "1")
    switch_back = command(f"switch {role} back", "switch", role, OLD).words
    return {
        f"{role} comes and goes": Round(STACK, role, (deploy, retire), mend=(retire.words,)),
        f"{role} takes over and gives back": Round(
            STACK, role, (upgrade, roll_back), mend=(switch_back, deploy.words), before=(deploy,), after=(retire,)
        ),
        f"{role} grows and shrinks": Round(STACK, role, (grow, shrink), mend=(shrink.words,)),
    }


_UP = ("up", OTHER, "--network", f"{STACK}-network", "--version", OLD, *SMALL)
_DOWN = ("down", OTHER, "--yes", "--delete-data")

ROUNDS = {
    **_replacement("router", "--steps", "50,100"),
    **_replacement("target", sampled=True),
    "a stack comes and goes": Round(
        OTHER,
        "router",
        (
            Command("bring up", _UP, sampled=True, slow=True),
            Command("tear down", _DOWN, gone=f"stack {OTHER}", sampled=True, slow=True),
        ),
        mend=(_DOWN,),
    ),
}
"""Of the role with weights, of the one with a pointer, and of a whole stack."""

COMMANDS = {command.name: command for each in ROUNDS.values() for command in each.commands}
