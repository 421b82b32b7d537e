"""The disk of an instance that its container's root file system is not: the volume at /var/lib/docker.

Docker Engine inside an instance needs a real file system under its overlay2, not another overlay; that is the volume.
`docker commit` leaves volumes out, so a machine image has a volume of its own, a copy.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from docker.errors import NotFound
from docker.models.volumes import Volume

from tasks.errors import TyrellError
from tyrell.local.containers.docker_engine import docker_engine, home_label
from tyrell.local.settings import Settings

MOUNTED_AT = "/var/lib/docker"


def volume_name(resource_id: str) -> str:
    """The volume of the instance `i-...` or of the machine image `ami-...`."""
    return f"tyrell-{resource_id}"


def create_disk(settings: Settings, resource_id: str, copied_from: str | None = None) -> None:
    """Create the volume of `resource_id`, with the contents of that of `copied_from` if there is such a volume.

    A volume that exists is made anew. Raises TyrellError when the copy fails, for example on a full disk.
    """
    source = find_disk(copied_from) if copied_from else None
    delete_disk(resource_id)
    made = docker_engine().volumes.create(volume_name(resource_id), labels=home_label(settings))
    if source:
        _copy(_folder(source), _folder(made))


def find_disk(resource_id: str) -> Volume | None:
    """The volume, None when there is none."""
    try:
        return docker_engine().volumes.get(volume_name(resource_id))
    except NotFound:
        return None


def delete_disk(resource_id: str) -> None:
    """Delete the volume; none is fine."""
    volume = find_disk(resource_id)
    if volume:
        volume.remove(force=True)


def _folder(volume: Volume) -> Path:
    return Path(volume.attrs["Mountpoint"])


def _copy(source: Path, target: Path) -> None:
    """Everything as it is, hard links, extended attributes and overlay2's device files included: cp(1) as root."""
    words = ["cp", "--archive", "--reflink=auto", "--one-file-system", f"{source}/.", str(target)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TyrellError(f"{source} could not be copied: {' '.join(done.stderr.split())[-300:]}")
