"""Grafana's own types of dashboards, and TypeScript's compiler to hold a file against them; npm fetches both once."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

PACKAGES = ("@grafana/schema@13.2.3", "typescript@5.9.3")
CACHE = Path(__file__).parents[2] / ".tools" / "grafana-schema"
TYPES = Path(__file__).with_name("dashboard.ts")
COMPILER = ("--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler")


class NotToBeHad(Exception):
    """The compiler or the types are not there and can not be fetched; the text says why."""


def fetch() -> None:
    """Make sure that both are in the cache. Raises NotToBeHad."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotToBeHad("there is no node or no npm")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:  # tests run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (CACHE / "ready").exists():
            return
        npm = ["npm", "install", "--prefix", str(CACHE), "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
        done = subprocess.run(npm, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise NotToBeHad(f"`{' '.join(npm)}` failed and said {done.stderr[-300:]}")
        (CACHE / "ready").touch()


def complaints(dashboards: Mapping[str, object]) -> dict[str, str]:
    """What the compiler has against each of the dashboards; nothing when Grafana knows everything in it."""
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        shutil.copy(TYPES, folder)
        files = [Path(folder) / f"{number}.ts" for number in range(len(dashboards))]
        for file, dashboard in zip(files, dashboards.values(), strict=True):
            program = f"export const one: Ours = {json.dumps(dashboard)};"
            file.write_text(f"import type {{ Ours }} from './dashboard';\n{program}\n")
        compiler = CACHE / "node_modules" / "typescript" / "bin" / "tsc"
        command = ["node", str(compiler), *COMPILER, *(file.name for file in files)]
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120).stdout
    assert not said.startswith(("dashboard.ts", "error")), said
    parts = re.split(r"^(\d+)\.ts", said, flags=re.MULTILINE)
    against = dict(zip(dashboards, [""] * len(files), strict=True))
    for number, text in zip(parts[1::2], parts[2::2], strict=True):
        against[list(dashboards)[int(number)]] += text
    return against
