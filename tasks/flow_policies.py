"""What the runs of each flow may do on AWS, as `deployments/policies` says it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "deployments" / "policies"


def flow_policies() -> dict[str, list[str]]:
    """The names of the policies that each flow needs, by the flow's name."""
    return tomllib.loads((FOLDER / "flows.toml").read_text())


def policy_document(name: str) -> dict[str, Any]:
    """An IAM policy of that folder."""
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return document
