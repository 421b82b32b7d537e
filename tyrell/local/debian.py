"""Programs of Debian's packages, fetched once and unpacked without root below `.tools/debian`."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tasks.errors import TyrellError

CACHE = Path(__file__).parents[2] / ".tools" / "debian"
TIMEOUT = 300.0


class NotToBeHad(TyrellError):
    """The program is not there and can not be fetched; the text says why."""


def find_program(package: str, path: str) -> Path:
    """Return the program at `path` (usr/bin/...) of the package, installed or unpacked. Raises NotToBeHad."""
    if installed := shutil.which(Path(path).name):
        return Path(installed)
    program = CACHE / package / path
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{package}.lock").open("w") as lock:  # many may want it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _fetch(package)
    return program


def _fetch(package: str) -> None:
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise NotToBeHad(f"package {package} can not be fetched: there is no {missing[0]}, which Debian has")
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        folder = Path(scratch)
        _download(package, folder)
        (archive,) = folder.glob("*.deb")
        _run(["dpkg-deb", "-x", archive.name, "unpacked"], folder)
        (folder / "unpacked").rename(CACHE / package)


def _download(package: str, folder: Path) -> None:
    """With the machine's own package lists; where they are missing, as in a fresh container, with lists of our own."""
    try:
        _run(["apt-get", "download", package], folder)
    except NotToBeHad:
        for part in ("lists/partial", "archives/partial"):
            (folder / part).mkdir(parents=True)
        own = ["-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}"]
        _run(["apt-get", *own, "-o", "APT::Sandbox::User=", "update"], folder)
        _run(["apt-get", *own, "download", package], folder)


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise NotToBeHad(f"`{' '.join(command)}` was not done within {TIMEOUT:g} s") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or "nothing").splitlines()[-1]
        raise NotToBeHad(f"`{' '.join(command)}` failed and said {said}") from error
