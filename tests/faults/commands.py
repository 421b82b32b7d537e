"""The commands that are disturbed: how each is made ready, what it is, and how it is all put back."""

from __future__ import annotations

from dataclasses import dataclass

from tests.flows.embedded import Tyrell

STACK = "demo"
OLD, NEW = "blue", "green"
ROLE = "router"
UNJUDGED = ("--no-gate", "--pause", "0", "--steady", "0")
AFTER_A_KILL = ("--wait", "60")
"""The lock of a run that was killed is there for 20 s more."""


@dataclass(frozen=True)
class Command:
    """The words of a `tyrell` command on the stack, which begins with `OLD` live and no `NEW`.

    `before` are the commands that make it possible, `after` those that put everything back; both must succeed.
    """

    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    after: tuple[tuple[str, ...], ...] = ()

    @property
    def name(self) -> str:
        """As a person would say it."""
        return " ".join(self.words[:2])


RETIRE = ("retire", ROLE, NEW, "--force")
UPGRADE = ("upgrade", ROLE, "--to", NEW, "--force", *UNJUDGED)

COMMANDS = {
    "deploy": Command(("deploy", ROLE, "--version", NEW), after=(RETIRE,)),
    "upgrade": Command(("upgrade", ROLE, "--to", NEW, *UNJUDGED), after=(("switch", ROLE, OLD), RETIRE)),
    "rollback": Command(("rollback", ROLE), before=(UPGRADE,), after=(RETIRE,)),
}


def run_all(tyrell: Tyrell, commands: tuple[tuple[str, ...], ...]) -> None:
    """Each must succeed."""
    for words in commands:
        tyrell.ok(*words, *AFTER_A_KILL, "--stack", STACK)
