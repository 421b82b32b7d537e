"""A stack of its own for the tests of upgrades, asked through the `tyrell` command in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner, Result

from tasks.groups import find_group
from tasks.marks import find_bad
from tasks.model import Group, Version
from tasks.pins import pinned_for
from tasks.roles import load_role
from tasks.standing import Standing, find_standings
from tasks.versions import find_shares
from tests.flows.embedded import Tyrell
from tyrell.cli import app

STACK = "prod"
QUICK = ("--pause", "0.5", "--steady", "0.5")
UNJUDGED = ("--no-gate", "--pause", "0", "--steady", "0")


@contextmanager
def prod_stack(cloud: Tyrell, ami: str, version: str) -> Iterator[Prod]:
    """The stack, made of that machine image; it is gone afterwards."""
    brought = cloud.json("up", STACK, "--ami", ami, "--version", version)
    with temporary_settings({PREFECT_API_URL: cloud.cloud_environment["PREFECT_API_URL"]}):
        yield Prod(cloud, brought["url"])
    cloud.ok("down", STACK, "--yes")


@dataclass(frozen=True)
class Prod:
    """The stack `prod` on the tests' cloud."""

    cloud: Tyrell
    url: str

    def run(self, *arguments: str) -> Result:
        """One command on this stack, to its end."""
        return CliRunner().invoke(app, [*arguments, "--stack", STACK])

    def ok(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        done = self.run(*arguments)
        assert done.exit_code == 0, f"{arguments}: {done.stderr[-3000:]}"
        return done.stdout

    def changes(self, *arguments: str) -> list[str]:
        """What a command that must succeed says it changed."""
        answer: dict[str, Any] = json.loads(self.ok(*arguments, "--json"))
        return list(answer["changes"])

    def refused(self, *arguments: str, code: int) -> str:
        """The last line of what a command that must fail with that exit code says."""
        done = self.run(*arguments)
        assert done.exit_code == code, f"{arguments}: {done.exit_code}: {done.stderr[-3000:]}"
        return done.stderr.strip().splitlines()[-1]

    def shares(self, role: str) -> dict[str, int]:
        """Percent of the traffic by version."""
        return find_shares(STACK, load_role(role))

    def live(self, role: str) -> str:
        """The version that has all the traffic."""
        (name,) = self.shares(role)
        return name

    def version(self, role: str, name: str) -> Version:
        """A version of the stack."""
        return Version(stack=STACK, role=role, id=name)

    def group(self, role: str, name: str) -> Group:
        """The group of a version."""
        return find_group(self.version(role, name))

    def standing(self, role: str, name: str) -> Standing:
        """How a version stands."""
        (found,) = (each for each in find_standings(STACK, load_role(role)) if each.version == name)
        return found

    def bad(self, role: str) -> set[str]:
        """The versions that are marked bad."""
        return set(find_bad(STACK, role))

    def is_left_alone(self, role: str, name: str) -> bool:
        """Whether nothing of an upgrade is left at the version: no pin, no suspended process, no minimum."""
        group = self.group(role, name)
        return not pinned_for(group) and not group.suspended and group.min == 0
