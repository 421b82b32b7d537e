"""`python -m tests.rendered FOLDER` writes every CloudFormation template as AWS would get it, for cfn-lint."""

from __future__ import annotations

import sys
from pathlib import Path

from tasks.model import Metrics, Network, Stack
from tasks.roles import load_role, role_names
from tasks.templates import attachment_template, base_template, metrics_template, network_template, version_template

NETWORK = Network(name="demo-network")
STACK = Stack(name="demo", network=NETWORK.name)


def rendered() -> dict[str, str]:
    """Template bodies by file name."""
    bodies = {
        "network.yaml": network_template(NETWORK),
        "network-nat-per-zone.yaml": network_template(Network(name="demo-network", nat="per-zone")),
        "metrics.yaml": metrics_template(
            Metrics.model_validate({"name": "metrics", "network": NETWORK.name, "open_to": ["192.0.2.0/24"]})
        ),
        "attachment.yaml": attachment_template(),
        "base.yaml": base_template(STACK),
        "base-given-buckets.yaml": base_template(
            Stack(name="demo", network=NETWORK.name, device_data_bucket="my-data", usage_bucket="my-usage")
        ),
    }
    return bodies | {f"{name}.yaml": version_template(load_role(name)) for name in role_names()}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in rendered().items():
        (folder / name).write_text(body)
