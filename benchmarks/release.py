"""How long it is from a changed line to traffic: `python -m benchmarks.release [--machines docker]`.

Clones the last commit, brings a stack up on an embedded cloud with a home of its own, releases it unchanged, then
changes one line of the router and releases that. With Docker machines it needs a Docker Engine, Packer and root, and
takes about seven minutes. Ends with 1 when a figure is over its bound.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, seconds, show
from benchmarks.moments import launched, watch_health
from benchmarks.runs import last_run
from tasks import clients
from tasks.link_modules import ROOT
from tasks.model import Version
from tasks.roles import roles_on
from tests.flows.embedded import NETWORK, Tyrell, embedded_cloud

NETWORKS = {"processes": NETWORK, "docker": "10.76.0.0/16"}
STACK = "demo"
AT_ONCE = ("--no-gate", "--pause", "0", "--steady", "0")
LONGEST = 900.0


@contextmanager
def clone(folder: Path) -> Iterator[Path]:
    """The last commit, to change something in; commands that have it in PYTHONPATH work with it."""
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def cloud(machines: str, checkout: Path) -> Iterator[Tyrell]:
    """A cloud whose commands work with that checkout."""
    with embedded_cloud(
        *("--machines", machines), network=NETWORKS[machines], timeout=LONGEST, PYTHONPATH=str(checkout)
    ) as tyrell:
        os.environ.update(tyrell.cloud_environment)
        clients.forget()
        yield tyrell


def must(tyrell: Tyrell, *arguments: str) -> float:
    """The seconds of a command that has to succeed."""
    return seconds(lambda: tyrell.ok(*arguments, timeout=LONGEST))


def measure(tyrell: Tyrell, checkout: Path, machines: str) -> Iterator[Figure]:
    """Bring up, release nothing, release one line."""
    if machines == "docker":
        must(tyrell, "network")
        yield Figure(
            "the Docker images of all roles",
            must(tyrell, "build-image", *(role.name for role in roles_on("link"))),
            "s",
        )
        yield Figure("the first bake", must(tyrell, "bake"), "s")
    yield Figure("the whole stack from that machine image", must(tyrell, "up", STACK), "s")
    yield Figure("a release with nothing changed", must(tyrell, "release"), "s", 5)

    with (checkout / "link" / "router.py").open("a") as router:
        router.write("# changed\n")
    after = Version(stack=STACK, role="router", id="changed")
    with watch_health(after) as health:
        whole = must(tyrell, "release", "router", "--version", after.id, *AT_ONCE)
    yield Figure("a release of one line, command to end", whole, "s", 30 if machines == "processes" else None)
    if machines == "docker":
        yield Figure("of it the bake", last_run("bake-ami").seconds, "s", 180)
    yield Figure("of it launch to healthy", health.changed - launched(after), "s", 20)
    yield Figure("of it the upgrade", last_run("upgrade").seconds, "s")


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.release", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machines", choices=NETWORKS, default="processes", help="what instances are made of")
    machines = parser.parse_args(arguments).machines
    folder = Path(tempfile.mkdtemp(prefix="tyrell-")) / "checkout"
    with clone(folder) as checkout, cloud(machines, checkout) as tyrell:
        return show(list(measure(tyrell, checkout, machines)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
