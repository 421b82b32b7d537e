"""The door to the Docker Engine, and how a cloud knows what belongs to it there."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import docker
from docker.errors import DockerException

from tasks.errors import UsageError
from tyrell.local.settings import Settings

HOME_LABEL = "tyrell.home"
"""On every container, volume, network and image of a cloud; its value is the cloud's home."""


@lru_cache(maxsize=1)
def docker_engine() -> docker.DockerClient:
    """A client of the engine that `DOCKER_HOST` names, else of the one on this machine. Thread-safe.

    Raises UsageError when none answers.
    """
    try:
        client = docker.from_env(max_pool_size=32)
        client.ping()
    except DockerException as problem:
        where = os.environ.get("DOCKER_HOST", "/var/run/docker.sock")
        raise UsageError(f"no Docker Engine answers at {where}; start one, or leave out --machines docker") from problem
    return client


def home_label(settings: Settings) -> dict[str, str]:
    """The label of what belongs to this cloud."""
    return {HOME_LABEL: str(settings.home.absolute())}


def of_this_cloud(settings: Settings) -> dict[str, Any]:
    """The filter that finds what belongs to this cloud."""
    return {"label": f"{HOME_LABEL}={settings.home.absolute()}"}
