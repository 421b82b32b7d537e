"""The operating system that a machine's programs see: a root folder, an environment and a console."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tyrell.local.machines.console import Console
from tyrell.local.machines.processes import INSTANCE, MARKER, Process
from tyrell.local.settings import Settings

HOST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MACHINE_PATH = ("/opt/link/bin", "/usr/local/bin")


class System:
    """Where programs of one machine run. There is no chroot, so absolute paths of the machine are mapped here.

    Mapped are the program of a command, files that cloud-init writes, and what unit files name; arguments are not.
    """

    def __init__(self, settings: Settings, instance_id: str) -> None:
        self.folder = settings.instances.absolute() / instance_id
        self.root = self.folder / "root"
        self.console = Console(self.folder / "console.log")
        self.environment = self._environment(settings, instance_id)

    def path(self, machine_path: str) -> Path:
        """Where the machine's `/etc/x` lies on the host. `..` does not lead out of the root folder."""
        return self.root / os.path.normpath("/" + machine_path).lstrip("/")

    def spawn(
        self,
        words: Sequence[str],
        source: str,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Process:
        """Start a program; its lines go to the console as said by `source`. Raises OSError when it cannot be started.

        `environment` is added to the machine's own; `folder` is a path of the host, the machine's root by default.
        """
        complete = {**self.environment, **(environment or {})}
        program = self._program(words[0], complete["PATH"])
        return Process(
            [program, *words[1:]], complete, folder or self.root, lambda line: self.console.write(source, line)
        )

    def _program(self, word: str, search_path: str) -> str:
        """By path in the root folder, else on the host; by name along PATH."""
        by_path, in_root = "/" in word, self.path(word)
        if by_path and in_root.exists():
            return str(in_root)
        found = shutil.which(word, path=search_path) if word.startswith("/") or not by_path else None
        if found is None:
            raise FileNotFoundError(f"{shlex.quote(word)}: no such program on this machine")
        return found

    def _environment(self, settings: Settings, instance_id: str) -> dict[str, str]:
        """All of it: nothing of the environment of whoever started the cloud reaches a machine."""
        own_folders = [str(self.path(folder)) for folder in MACHINE_PATH]
        return {
            "HOME": str(self.path("/root")),
            "PATH": os.pathsep.join([*own_folders, HOST_PATH]),
            "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": settings.endpoint,
            "AWS_DEFAULT_REGION": settings.region,
            "AWS_REGION": settings.region,
            # They stand for the credentials of the instance profile; moto accepts any.
            "AWS_ACCESS_KEY_ID": "instance-profile",
            "AWS_SECRET_ACCESS_KEY": "instance-profile",
            # A metadata service that knows credentials only, for who takes a role with what the machine is.
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": settings.endpoint,
            INSTANCE: instance_id,
            "PYTHONUNBUFFERED": "1",
            MARKER: str(settings.home.absolute()),
        }
