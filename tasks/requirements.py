"""The packages of an image at the versions of `uv.lock`, as a requirements file with hashes for pip."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from tasks.errors import NotFound
from tasks.roles import FOLDER

LOCK = FOLDER.parent / "uv.lock"


def locked_requirements(packages: Iterable[str], lock: Path = LOCK) -> str:
    """The `packages` and all they need, one pinned requirement each, sorted; wheels only.

    Environment markers are left to pip, which knows the image's Python. Format:
    https://pip.pypa.io/en/stable/topics/secure-installs/#hash-checking-mode
    Raises NotFound for a package that the lock file does not pin, or pins at several versions.
    """
    locked = _packages(lock.read_text())
    markers: dict[str, set[str]] = {}
    waiting = [{"name": name} for name in packages]
    while waiting:
        wanted = waiting.pop()
        new = wanted["name"] not in markers
        markers.setdefault(wanted["name"], set()).add(wanted.get("marker", ""))
        if new:
            waiting += _locked(wanted["name"], locked, lock).get("dependencies", [])
    return "".join(_line(_locked(name, locked, lock), markers[name]) for name in sorted(markers))


@lru_cache(maxsize=2)
def _packages(text: str) -> list[dict[str, Any]]:
    """The packages of a lock file; reading a long one takes a fifth of a second."""
    return tomllib.loads(text)["package"]  # type: ignore[no-any-return]


def _locked(name: str, locked: list[dict[str, Any]], lock: Path) -> dict[str, Any]:
    found = [package for package in locked if package["name"] == name]
    if len(found) != 1:
        raise NotFound(
            f"one version of package {name} in {lock.name}", "name it in pyproject.toml and lock it with `uv lock`"
        )
    return found[0]


def _line(package: dict[str, Any], markers: set[str]) -> str:
    condition = "" if "" in markers else " ; " + " or ".join(f"({marker})" for marker in sorted(markers))
    hashes = "".join(f" \\\n    --hash={wheel['hash']}" for wheel in package["wheels"])
    return f"{package['name']}=={package['version']}{condition}{hashes}\n"
