"""What a Dockerfile says about its inputs: https://docs.docker.com/reference/dockerfile/."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template

NAME = "Dockerfile"


def named_modules(text: str) -> tuple[str, ...]:
    """The modules of `link/` that a Dockerfile names, such as `link.router`: the programs of the image."""
    return tuple(sorted(set(re.findall(r"\blink(?:\.\w+)+", text))))


def base_images(text: str, args: Mapping[str, str]) -> tuple[str, ...]:
    """The images that the stages of a Dockerfile stand on, sorted; `args` are the values of its build arguments.

    Only an ARG before the first FROM counts in a FROM. `scratch` and earlier stages are no images.
    """
    values: dict[str, str] = {}
    stages: set[str] = {"scratch"}
    images: set[str] = set()
    for instruction, *words in _instructions(text):
        if instruction == "ARG" and not images:
            for word in words:
                name, _, default = word.partition("=")
                values[name] = args.get(name, default.strip("\"'"))
        elif instruction == "FROM":
            image, *stage = [word for word in words if not word.startswith("--")]
            image = Template(image).safe_substitute(values)
            images |= {image} - stages
            stages |= set(stage[1:])
    return tuple(sorted(images))


def copied_names(text: str) -> tuple[str, ...]:
    """What a Dockerfile copies from its context, as it names it, sorted; earlier stages are no part of that."""
    copies = [words for instruction, *words in _instructions(text) if instruction == "COPY"]
    own = [words for words in copies if not any(word.startswith("--from=") for word in words)]
    return tuple(sorted({word for words in own for word in words[:-1] if not word.startswith("--")}))


def _instructions(text: str) -> list[list[str]]:
    """The words of every instruction, its name in capitals."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\s*\n", " ", "\n".join(lines))
    split = (line.split() for line in joined.splitlines())
    return [[words[0].upper(), *words[1:]] for words in split if words]
