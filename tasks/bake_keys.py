"""Bake keys: what a machine image is made of, as named digests; of the same digests there is never a second image."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from tasks.model import Noun

INPUT = "tyrell:input:"
IMAGE = "image:"
WITHOUT = "tyrell:without"
"""The tag with the services that an image was baked without, separated by blanks."""
DIGITS = 12
"""How much of a digest a tag shows."""


class Offer(Noun):
    """A machine image: one that is there, or could be."""

    release: str
    """What versions made of it are called, when nobody names them."""
    inputs: dict[str, str]
    """The digests of what it is made of, by name."""
    ami: str = ""
    """Empty as long as it is not there."""


def digest(value: str | Mapping[str, str]) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def bake_key(inputs: Mapping[str, str]) -> str:
    """SHA-256, in hex, over the named digests, in whatever order."""
    return digest(dict(inputs))


def release_of(inputs: Mapping[str, str]) -> str:
    """What versions made of these inputs are called, when nobody names them."""
    return bake_key(inputs)[:8]


def input_tags(inputs: Mapping[str, str]) -> dict[str, str]:
    """The digests as tags of the image."""
    return {INPUT + name: value[:DIGITS] for name, value in inputs.items()}


def tagged_inputs(tags: Mapping[str, str]) -> dict[str, str]:
    """The digests, as far as the tags of an image show them."""
    return {name.removeprefix(INPUT): value for name, value in tags.items() if name.startswith(INPUT)}


def changed_inputs(inputs: Mapping[str, str], tags: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the inputs that are not as the tags of an image tell, those that came or went among them."""
    before = tagged_inputs(tags)
    now = {name: value[:DIGITS] for name, value in inputs.items()}
    return tuple(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))


def concerning(role: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the inputs that machines of `role` are made of: all but what is in other roles' `image:ROLE`."""
    return tuple(name for name in names if not name.startswith(IMAGE) or name == IMAGE + role)
