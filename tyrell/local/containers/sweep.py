"""Removing everything of one cloud from the Docker Engine, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from docker.errors import NotFound

from tyrell.local.containers.docker_engine import docker_engine, of_this_cloud
from tyrell.local.containers.firewall import remove_table
from tyrell.local.containers.network import Bridge
from tyrell.local.settings import Settings

AT_A_TIME = 8


def sweep(settings: Settings) -> int:
    """Remove containers, volumes, images and the network of the cloud at `settings.home`; how many there were.

    The addresses on the network's bridge go with it, and the packet filter goes, too. Raises UsageError when no engine
    answers, docker's APIError when it refuses.
    """
    remove_table(Bridge(settings).name)
    engine, own = docker_engine(), of_this_cloud(settings)
    # Images by their names: one that others were made of only loses its name, and goes with the last of them.
    names = [name for image in engine.images.list(filters=own) for name in image.tags]
    return (
        _each(engine.containers.list(all=True, filters=own, ignore_removed=True), lambda it: it.remove(force=True))
        + _each(engine.volumes.list(filters=own), lambda it: it.remove(force=True))
        + _each(names, lambda name: engine.images.remove(name, force=True))
        + _each(engine.networks.list(filters=own), lambda it: it.remove())
    )


def _each(found: Collection[Any], remove: Callable[[Any], None]) -> int:
    def remove_one(it: Any) -> None:
        with suppress(NotFound):  # it went by itself meanwhile
            remove(it)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(remove_one, found))
    return len(found)
