"""The record of the running embedded cloud, so that every other command finds it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tyrell.local.settings import Settings


class State(BaseModel):
    """A cloud that is up: its process, its settings and the port of its Prefect server (0: none)."""

    model_config = ConfigDict(frozen=True)

    pid: int
    settings: Settings
    prefect_port: int

    @property
    def prefect_url(self) -> str:
        """Where a person looks."""
        return f"http://{self.settings.host}:{self.prefect_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make any AWS or Prefect client talk to this cloud."""
        aws = {
            "AWS_ENDPOINT_URL": self.settings.endpoint,
            "AWS_DEFAULT_REGION": self.settings.region,
            "AWS_ACCESS_KEY_ID": "embedded-cloud",
            "AWS_SECRET_ACCESS_KEY": "embedded-cloud",
            "TYRELL_METRICS_PERIOD": "1",  # its balancers publish every second, those of AWS every minute
            "TYRELL_USAGE_EVERY": "5s",  # nobody waits half an hour for what he tries
        }
        if self.settings.machines == "processes":  # of which no Docker image and no Packer can make a machine
            aws["TYRELL_BAKE"] = f"{Path(sys.executable).with_name('tyrell')} local bake"
        return aws | ({"PREFECT_API_URL": f"{self.prefect_url}/api"} if self.prefect_port else {})


HOME = "TYRELL_HOME"
"""Environment variable: the folder of the embedded cloud; by default `tyrell` in the user's state folder (XDG)."""


def default_home() -> Path:
    """Where the embedded cloud of this user lives (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(os.environ.get(HOME) or f"{state}/tyrell").expanduser().absolute()


def _file(home: Path) -> Path:
    return home / "cloud.json"


def write_state(state: State) -> None:
    """Say that the cloud is up."""
    unfinished = _file(state.settings.home).with_suffix(".new")
    unfinished.write_text(state.model_dump_json())
    unfinished.replace(_file(state.settings.home))


def read_state(home: Path) -> State | None:
    """The cloud that runs in `home`, or None; a record of a process that is gone counts as none."""
    state = read_record(home)
    return state if state and is_daemon(state.pid) else None


def read_record(home: Path) -> State | None:
    """The cloud that was the last to come up in `home` and was not stopped in order since, whether it still runs."""
    try:
        return State.model_validate_json(_file(home).read_text())
    except (FileNotFoundError, ValidationError):
        return None


def forget_state(home: Path) -> None:
    """Remove the record."""
    _file(home).unlink(missing_ok=True)


def is_daemon(pid: int) -> bool:
    """Whether that process is an embedded cloud, not some other one that got its number."""
    try:
        return b"tyrell.local.daemon" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
