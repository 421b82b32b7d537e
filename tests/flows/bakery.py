"""A command that bakes releases of the tests, as `TYRELL_BAKE` wants it: `RELEASE [FAULT ROLE]`."""

from __future__ import annotations

import sys

from tasks.bake_keys import Offer, tagged_inputs
from tasks.builds import find_build
from tests.flows.releases import Fault, bake
from tyrell.local.inventory import running


def main(release: str, *more: str) -> None:
    """Bake it and print it; with `--dry-run` too, since nothing here depends on its not being there."""
    fault = [word for word in more if word in Fault.__members__]
    role = more[more.index(fault[0]) + 1] if fault else "router"
    ami = bake(running().settings, release, Fault(fault[0]) if fault else None, role)
    print(Offer(release=release, inputs=tagged_inputs(find_build(ami).tags), ami=ami).model_dump_json())


if __name__ == "__main__":
    main(*sys.argv[1:])
