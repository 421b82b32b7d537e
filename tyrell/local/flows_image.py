"""The machine image of flow workers on the embedded cloud: Tyrell as it lies in the repository."""

from __future__ import annotations

import sys

from tasks.bake_keys import IMAGE, Offer, bake_key, digest, input_tags, release_of
from tasks.build_contexts import copied_files
from tasks.link_modules import ROOT
from tasks.roles import FOLDER, load_role
from tasks.templates import unit_files
from tyrell.local.link_image import find_baked
from tyrell.local.machines.images import Link, register_image
from tyrell.local.settings import Settings

KIND, ROLE = "flows", "flow-worker"
PROGRAM = f"""#!/bin/sh
cd "$(dirname "$0")/../../tyrell"
PYTHONPATH="$PWD" PYTHONDONTWRITEBYTECODE=1 exec {sys.executable} -P -m tyrell.flow_worker
"""
"""It runs the image's own copy with this interpreter and its libraries."""


def bake_flows_image(settings: Settings) -> Offer:
    """Register Tyrell as it lies in the repository as an AMI; unchanged contents give the same AMI."""
    offer = find_flows_image(settings)
    named = {"tyrell:kind": KIND, "tyrell:release": offer.release, "tyrell:bake-key": bake_key(offer.inputs)}
    ami = offer.ami or register_image(settings, f"tyrell-{KIND}", flows_files(), named | input_tags(offer.inputs))
    return offer.model_copy(update={"ami": ami})


def find_flows_image(settings: Settings) -> Offer:
    """What lies in the repository, and the AMI of it if there is one."""
    inputs = {IMAGE + ROLE: digest({name: str(contents) for name, contents in flows_files().items()})}
    return Offer(release=release_of(inputs), inputs=inputs, ami=find_baked(settings, inputs))


def flows_files() -> dict[str, bytes | Link]:
    """Everything in the image, by path below `/`."""
    dockerfile = (FOLDER / ROLE / "Dockerfile").read_text()
    files: dict[str, bytes | Link] = {
        f"opt/tyrell/{name}": (ROOT / name).read_bytes() for name in copied_files(dockerfile, ROOT)
    }
    files["opt/link/bin/flow-worker"] = PROGRAM.encode()
    return files | {f"etc/systemd/system/{name}": text.encode() for name, text in unit_files(load_role(ROLE)).items()}
