"""The machine image of metrics stacks on the embedded cloud: Debian's InfluxDB and what keeps its data."""

from __future__ import annotations

from tasks.bake_keys import IMAGE, WITHOUT, Offer, bake_key, digest, input_tags, release_of
from tasks.roles import load_role
from tasks.templates import unit_files
from tyrell.local.debian import find_program
from tyrell.local.link_image import find_baked, host_programs, python_program, sources
from tyrell.local.machines.images import Link, register_image
from tyrell.local.settings import Settings

KIND = "metrics"

PROGRAMS = {
    "metrics-store": "link.metrics_store",
    "metrics-keeper": "link.metrics_keeper",
    "attach-volume": "link.attach_volume",
}
"""Programs of the image and the module each one runs."""


def bake_metrics_image(settings: Settings) -> Offer:
    """Register what lies in the repository and InfluxDB as an AMI; unchanged contents give the same AMI.

    Raises NotToBeHad when there is no InfluxDB and it cannot be fetched.
    """
    offer = find_metrics_image(settings)
    named = {
        "tyrell:kind": KIND,
        "tyrell:release": offer.release,
        "tyrell:bake-key": bake_key(offer.inputs),
        WITHOUT: " ".join(load_role(KIND).ready_made),
    }
    ami = offer.ami or register_image(settings, f"tyrell-{KIND}", metrics_files(), named | input_tags(offer.inputs))
    return offer.model_copy(update={"ami": ami})


def find_metrics_image(settings: Settings) -> Offer:
    """What would be in the image now, and the AMI of it if there is one. Raises NotToBeHad."""
    inputs = {IMAGE + KIND: digest({name: str(contents) for name, contents in metrics_files().items()})}
    return Offer(release=release_of(inputs), inputs=inputs, ami=find_baked(settings, inputs))


def metrics_files() -> dict[str, bytes | Link]:
    """Everything in the image, by path below `/`."""
    whole = load_role(KIND)
    role = whole.without(whole.ready_made)  # ready-made Docker images are of no use without a Docker Engine
    files: dict[str, bytes | Link] = {
        f"opt/link/bin/{name}": python_program(module) for name, module in PROGRAMS.items()
    }
    files["etc/link/README"] = b"Written at first boot: which volume has the data.\n"
    files |= {f"opt/link/bin/{name}": text.encode() for name, text in host_programs().items()}
    files |= {f"opt/link/lib/{name}": text.encode() for name, text in sources(PROGRAMS.values()).items()}
    files |= {f"etc/systemd/system/{name}": text.encode() for name, text in unit_files(role).items()}
    return files | {"usr/local/bin/influxd": Link(find_program("influxdb", "usr/bin/influxd"))}
