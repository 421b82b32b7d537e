"""Which cloud a command talks to: AWS, or the embedded cloud when it is up. Only environment variables differ."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network
from pathlib import Path

from tasks.errors import TyrellError

LOGGING = Path(__file__).with_name("logging.yml")


class Cloud(StrEnum):
    """What `--cloud` takes."""

    auto = "auto"
    aws = "aws"
    local = "local"


@dataclass(frozen=True)
class Surroundings:
    """The cloud that was chosen, and what is different there for a person who says nothing else."""

    name: str
    cidr: IPv4Network
    port: int
    prefect_url: str | None


AWS = Surroundings(name="AWS", cidr=IPv4Network("10.0.0.0/16"), port=80, prefect_url=None)

LOCAL_BALANCER_PORT = 8080
"""Port 80 needs root on most machines; the embedded cloud asks for none."""


def enter(cloud: Cloud) -> Surroundings:
    """Set the environment for the chosen cloud; call it before Prefect or boto3 is imported.

    Raises TyrellError when the embedded cloud is asked for and not up.
    """
    from tyrell.local.state import default_home, read_state  # noqa: PLC0415  pydantic is slow to import

    # Log lines go to the Prefect API, not to the terminal: there the live view tells what happens.
    os.environ.setdefault("PREFECT_LOGGING_SETTINGS_PATH", str(LOGGING))
    state = None if cloud is Cloud.aws else read_state(default_home())
    if state is None:
        if cloud is Cloud.local:
            raise TyrellError("the embedded cloud is not up; start it with `tyrell local up`")
        return AWS
    os.environ.update(state.environment)
    return Surroundings(
        name="the embedded cloud",
        cidr=state.settings.network,
        port=LOCAL_BALANCER_PORT,
        prefect_url=state.prefect_url if state.prefect_port else None,
    )
