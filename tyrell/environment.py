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
    one_machine: bool
    """Networks share the addresses of one machine, so they must not overlap."""


AWS = Surroundings(name="AWS", cidr=IPv4Network("10.0.0.0/16"), port=80, prefect_url=None, one_machine=False)

LOCAL_BALANCER_PORT = 8080
"""Port 80 needs root on most machines; the embedded cloud asks for none."""


OTHER_ACCOUNTS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION")
"""What a person has set for AWS itself and would lead a client away from the embedded cloud."""

HERE = "127.0.0.1"


def enter(cloud: Cloud, *, aws: bool = True) -> Surroundings:
    """Set the environment for the chosen cloud; call it before Prefect or boto3 is imported.

    Raises TyrellError when the embedded cloud is asked for and not up, NoRegionError or NoCredentialsError when AWS
    cannot be used from here and is needed (`aws`; else the Prefect server is all that is talked to).
    """
    from tyrell.local.state import default_home, read_state  # noqa: PLC0415  pydantic is slow to import

    os.environ.setdefault("DO_NOT_TRACK", "1")  # nothing of a deploy is anybody else's business
    # Log lines go to the Prefect API, not to the terminal: there the live view tells what happens.
    os.environ.setdefault("PREFECT_LOGGING_SETTINGS_PATH", str(LOGGING))
    state = None if cloud is Cloud.aws else read_state(default_home())
    if state is None:
        if cloud is Cloud.local:
            raise TyrellError("the embedded cloud is not up; start it with `tyrell local up`")
        if aws:
            _check_aws()
        return AWS
    for name in [*OTHER_ACCOUNTS, *(name for name in os.environ if name.startswith("AWS_ENDPOINT_URL_"))]:
        os.environ.pop(name, None)
    ours = {name for name in os.environ if name.startswith("TYRELL_")}  # what a person has set of these stays
    os.environ.update({name: value for name, value in state.environment.items() if name not in ours})
    near = sorted({HERE, state.settings.host})
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, [os.environ.get("NO_PROXY"), *near]))
    return Surroundings(
        name="the embedded cloud",
        cidr=state.settings.network,
        port=LOCAL_BALANCER_PORT,
        prefect_url=state.prefect_url if state.prefect_port else None,
        one_machine=True,
    )


def _check_aws() -> None:
    """Find out now, not in the middle of a flow, that nobody said who we are or where."""
    import boto3  # noqa: PLC0415
    from botocore.exceptions import NoCredentialsError, NoRegionError  # noqa: PLC0415

    session = boto3.Session()
    if not session.region_name:
        raise NoRegionError
    if session.get_credentials() is None:
        raise NoCredentialsError
