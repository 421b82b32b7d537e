"""The only door to Packer: version 1.6.6 (Debian 12's) or later."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from tasks.errors import TyrellError
from tasks.packer_output import PackerLog, parse

OLDEST, WITH_PLUGINS = (1, 6, 6), (1, 7, 0)
LONGEST = timedelta(hours=1)
"""No bake takes longer; one that does is stopped."""
STOPPING_SECONDS = 120
"""How long Packer may take to remove what it made."""
POLL_SECONDS = 2
QUIET = {
    "CHECKPOINT_DISABLE": "1",
    "PACKER_NO_COLOR": "1",
    # Packer gives up waiting for an image long before AWS does unless it is told to look often enough.
    "AWS_POLL_DELAY_SECONDS": str(POLL_SECONDS),
    "AWS_MAX_ATTEMPTS": str(int(LONGEST.total_seconds()) // POLL_SECONDS),
}
"""https://developer.hashicorp.com/packer/integrations/hashicorp/amazon/latest/components/builder/ebs"""
_INSTALL = "install it with `apt-get install packer`, or from https://developer.hashicorp.com/packer/install"


def find_version() -> str:
    """The version of Packer, as `1.6.6`. Raises TyrellError when it is missing or too old."""
    try:
        said = subprocess.run(
            ["packer", "-machine-readable", "version"],
            env=os.environ | QUIET,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout
    except FileNotFoundError:
        raise TyrellError(f"Packer is missing; {_INSTALL}") from None
    records = filter(None, map(parse, said.splitlines()))
    version = next((record.data[0] for record in records if record.type == "version"), "")
    if _numbers(version) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise TyrellError(f"Packer {version or 'here'} is too old, {oldest} is needed; {_INSTALL}")
    return version


def build(template: Path, variables: Mapping[str, Any], version: str) -> str:
    """Build with the template in this folder, which must be ours alone; return the id of the AMI.

    What Packer says is logged as it says it. Raises TyrellError with its last errors. Whoever interrupts us interrupts
    it, and it removes what it made.
    """
    if _numbers(version) >= WITH_PLUGINS:
        for file in (template / "current").iterdir():
            file.rename(template / file.name)
        _run(["packer", "init", str(template)], template)
    values = template / "values.pkrvars.json"
    values.write_text(json.dumps(variables))
    _run(["packer", "build", "-machine-readable", "-color=false", f"-var-file={values}", str(template)], template)
    manifest = json.loads((template / "manifest.json").read_text())
    return str(manifest["builds"][-1]["artifact_id"]).partition(":")[2]


def _run(command: Sequence[str], folder: Path) -> None:
    """Run to the end and log every line; temporary files lie in `folder`. Raises TyrellError."""
    log = PackerLog()
    # A session of its own: Ctrl-C reaches us alone, and we tell Packer once.
    with subprocess.Popen(
        command,
        env=os.environ | QUIET | {"TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as packer:
        late = threading.Timer(LONGEST.total_seconds(), packer.terminate)
        late.start()
        try:
            for line in packer.stdout or ():
                log.read(line)
            status = packer.wait(STOPPING_SECONDS)
        except BaseException:
            _stop(packer)
            raise
        finally:
            late.cancel()
    if status:
        raise TyrellError(f"`{' '.join(command[:2])}` failed: {log.failure}")


def _stop(packer: subprocess.Popen[str]) -> None:
    """SIGTERM, on which Packer removes what it made; what it does not manage in time is left to the sweep."""
    packer.terminate()
    try:
        packer.communicate(timeout=STOPPING_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(packer.pid, signal.SIGKILL)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
