"""Machine images made in a cloud's own way, where its machines are nothing that Docker and Packer could make.

The environment names the command. It prints what it has made as JSON, or with `--dry-run` what it would make.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping

from pydantic import ValidationError

from tasks.bake_keys import Offer
from tasks.errors import TyrellError, UsageError
from tasks.steps import step

COMMAND = "TYRELL_BAKE"
"""Environment variable: the command that makes machine images where Docker and Packer cannot."""

LONGEST = 600.0
"""Seconds."""


def own_bakery() -> tuple[str, ...]:
    """The command, in words; empty where Docker and Packer make machine images."""
    return tuple(shlex.split(os.environ.get(COMMAND, "")))


def find_offer(kind: str, images: Mapping[str, str]) -> Offer:
    """What the command would make. Raises TyrellError with its last words, UsageError for ready-made `images`."""
    _check_none(images)
    return _ask((*own_bakery(), kind, "--json", "--dry-run"))


@step("bake {kind} as this cloud does", system="bakery")
def bake_offer(kind: str, images: Mapping[str, str]) -> Offer:
    """Have the command make it; of the same inputs nothing is made twice. Raises as `find_offer` does."""
    _check_none(images)
    return _ask((*own_bakery(), kind, "--json"))


def _check_none(images: Mapping[str, str]) -> None:
    if images:
        raise UsageError(
            f"machines of this cloud cannot run the Docker image of {', '.join(images)}: they are plain processes;"
            " an embedded cloud of `tyrell local up --machines docker` can"
        )


def _ask(command: tuple[str, ...]) -> Offer:
    shown = shlex.join(command)
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LONGEST)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TyrellError(f"`{shown}` cannot bake: {error}") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise TyrellError(f"`{shown}` cannot bake: {last}")
    try:
        return Offer.model_validate_json(done.stdout)
    except ValidationError:
        shape = ", ".join(Offer.model_fields)
        raise TyrellError(f"`{shown}` printed no machine image; its answer must be JSON: {shape}") from None
