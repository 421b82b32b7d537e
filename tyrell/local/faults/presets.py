"""`presets.toml`: faults that have a name of their own."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from tyrell.local.faults.model import Fault


class Preset(BaseModel):
    """What goes wrong, for people, and the faults that make it so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    why: str
    faults: tuple[Fault, ...]


@cache
def presets() -> dict[str, Preset]:
    """Every preset by its name."""
    table = tomllib.loads(Path(__file__).with_name("presets.toml").read_text())
    return TypeAdapter(dict[str, Preset]).validate_python(table)
