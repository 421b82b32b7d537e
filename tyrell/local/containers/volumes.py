"""EBS volumes in a container: the folder of a volume, mounted at /dev/xvdf while it is attached."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from docker.models.containers import Container

from tasks.errors import TyrellError

MOUNTED = re.compile(r"^\S+ \S+ \S+ (?P<root>\S+) (?P<device>/dev/xvd[b-z]) ", re.MULTILINE)
"""A line of /proc/PID/mountinfo: proc(5)."""


def mount_volumes(container: Container, folders: Mapping[str, Path]) -> None:
    """Have a running container see these volumes' folders, by device (`/dev/xvdf`), and no others.

    Raises TyrellError with what the kernel says.
    """
    pid = container.attrs["State"]["Pid"]
    mounts = Path(f"/proc/{pid}/mountinfo").read_text()
    # The root of a mount is told from the root of its file system on, so its last part is what can be compared.
    mounted = {found["device"]: Path(found["root"]).name for found in MOUNTED.finditer(mounts)}
    wanted = {device: folder.name for device, folder in folders.items()}
    for device, _ in mounted.items() - wanted.items():
        _graft(pid, "out", device)
    for device, _ in wanted.items() - mounted.items():
        folders[device].mkdir(parents=True, exist_ok=True)
        _graft(pid, "in", str(folders[device]), device)


def _graft(pid: int, *words: str) -> None:
    command = [sys.executable, "-m", "tyrell.local.containers.graft", str(pid), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TyrellError(f"the volume could not be brought {words[0]}: {done.stderr.strip()}")
