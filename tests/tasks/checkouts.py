"""Copies of what images are made of, in which a test may change something."""

from __future__ import annotations

import shutil
from pathlib import Path

from tasks.link_modules import ROOT


def copied(folder: Path) -> Path:
    """`folder`, with this checkout's roles, services and lock file in it."""
    for part in ("roles", "link"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "uv.lock", folder)
    return folder


def add_line(file: Path, line: str) -> None:
    """Append a line to a file."""
    file.write_text(f"{file.read_text()}{line}\n")
