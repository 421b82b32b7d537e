"""Releases as machine images of the embedded cloud: good ones, and ones with a real fault in a service."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from tasks.bake_keys import IMAGE, digest, input_tags
from tyrell.local.link_image import KIND, PROGRAMS, link_files, link_inputs
from tyrell.local.machines.images import register_image
from tyrell.local.settings import Settings

FAULTS = Path(__file__).with_name("faults.py")
LIBRARY = "opt/link/lib/link"
NEW_APP = "    app = service.new_app()\n"


class Fault(StrEnum):
    """What is wrong with a service: the functions of `faults.py`."""

    crash = "crash"
    errors = "errors"
    slow = "slow"
    liar = "liar"
    flaps = "flaps"


SERVICES = {"router": "link-router", "target": "link-target", "tenant-mgmt-api": "tenant-mgmt-api"}
"""The program that has the fault, by role; every other one in the image is good."""


def bake(settings: Settings, release: str, fault: Fault | None = None, role: str = "router") -> str:
    """Register the repository's Link services as the AMI of `release` and return its id; again is the same id.

    With a fault, the service of `role` has it and every other service in the image is good. Its tags say that it
    differs from what lies in the repository in all roles, or in the one with the fault.
    """
    inputs = link_inputs()
    for name in [IMAGE + role] if fault else [name for name in inputs if name.startswith(IMAGE)]:
        inputs[name] = digest(f"{inputs[name]} {fault or release}")
    files = link_files()
    if fault:
        source = f"{LIBRARY}/{PROGRAMS[SERVICES[role]].removeprefix('link.')}.py"
        files[source] = _with_fault(files[source], fault)
        files[f"{LIBRARY}/faults.py"] = FAULTS.read_bytes()
    tags = {"tyrell:kind": KIND, "tyrell:release": release, **input_tags(inputs)}
    return register_image(settings, f"tyrell-{KIND}", files, tags)


def _with_fault(source: object, fault: Fault) -> bytes:
    """The service's module, calling the fault as soon as it has its application."""
    assert isinstance(source, bytes)
    text = source.decode()
    assert text.count(NEW_APP) == 1, f"not once in the service: {NEW_APP.strip()}"
    return text.replace(NEW_APP, f"{NEW_APP}    from link import faults\n\n    faults.{fault}(app)\n").encode()
