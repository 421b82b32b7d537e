"""The stack that the upgrade benchmark measures, and the commands that change it."""

from __future__ import annotations

import itertools
from subprocess import CompletedProcess

from tasks.model import Version
from tasks.overview import find_overview
from tests.flows.embedded import Tyrell
from tests.flows.load import Load
from tests.flows.releases import Fault, bake
from tyrell.local.settings import Settings

STACK = "demo"
RELEASES = ("blue", "green")
RATE, SOCKETS = 200, 50
LONGEST_UPGRADE = 900.0


class Stage:
    """Two routers and twenty targets, with two good releases at hand."""

    def __init__(self, tyrell: Tyrell, settings: Settings) -> None:
        self.settings = settings
        self.url = str(tyrell.json("up", STACK, "--size", "router=2", "--size", "target=2")["url"])
        for release in RELEASES:
            bake(settings, release)
        self._tyrell = tyrell
        self._numbers = itertools.count(1)

    def load(self) -> Load:
        """The load under which everything is measured."""
        return Load(self.url, RATE, SOCKETS)

    def live(self, role: str) -> dict[str, int]:
        """Percent of the role's traffic by version, of those that have some."""
        return {row.version: row.traffic for row in find_overview(STACK).rows if row.role == role and row.traffic}

    def live_version(self, role: str) -> Version:
        """The one version that has all traffic."""
        (live,) = self.live(role)
        return Version(stack=STACK, role=role, id=live)

    def new_release(self, fault: Fault | None = None, role: str = "router") -> str:
        """The id of a release that nobody has deployed yet."""
        release = f"new{next(self._numbers)}"
        bake(self.settings, release, fault, role)
        return release

    def new_version(self, role: str) -> Version:
        """A version of the role that is a good release nobody has deployed yet."""
        return Version(stack=STACK, role=role, id=self.new_release())

    def other(self, role: str) -> str:
        """The good release that is not live."""
        return next(release for release in RELEASES if release not in self.live(role))

    def upgrade(self, role: str, release: str, *options: str) -> CompletedProcess[str]:
        """Upgrade to the release, whatever comes of it."""
        return self._tyrell.run("upgrade", role, "--to", release, "--stack", STACK, *options, timeout=LONGEST_UPGRADE)

    def must_upgrade(self, role: str, release: str, *options: str) -> None:
        """Upgrade to the release, which has to succeed and to have all traffic afterwards."""
        done = self.upgrade(role, release, *options)
        assert done.returncode == 0, f"{role} to {release}: {done.stderr[-2000:]}"
        assert self.live(role) == {release: 100}, f"{role} to {release}: live is {self.live(role)}"

    def rollback(self, role: str) -> None:
        """Give all traffic back to the version before."""
        self._tyrell.ok("rollback", role, "--stack", STACK)
