"""What CI writes as NAME=VALUE, as the parameters of a flow."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any

import pytest
from prefect import flow
from prefect.utilities.callables import parameter_schema

from tasks.errors import UsageError
from tyrell.deployment_values import parse_values


class Colour(StrEnum):
    """One of two."""

    blue = "blue"
    green = "green"


@flow
def painted(
    stack: str,
    size: int = 1,
    version: str | None = None,
    roles: tuple[str, ...] = (),
    wait: timedelta | None = None,
    colour: Colour = Colour.blue,
    dry_run: bool = False,
) -> None:
    """A flow with parameters of every sort."""


SCHEMA: dict[str, Any] = parameter_schema(painted).model_dump()


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("stack=prod", "prod"),
        ("stack=a=b", "a=b"),
        ("size=3", 3),
        ("version=7", "7"),
        ('roles=["router"]', ["router"]),
        ("wait=PT10M", "PT10M"),
        ("colour=green", "green"),
        ("dry_run=true", True),
    ],
)
def test_a_word_is_read_as_the_parameter_wants_it(word: str, value: object) -> None:
    assert parse_values([word], SCHEMA) == {word.partition("=")[0]: value}


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("prod", "prod: write NAME=VALUE, for example stack=prod"),
        ("stak=prod", "there is no parameter 'stak'; there are stack, size, version"),
        ("size=big", "size=big: write JSON, for example 3"),
        ("roles=router", "roles=router: write JSON"),
    ],
)
def test_a_word_that_is_no_parameter_is_refused_with_what_to_write(word: str, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_values([word], SCHEMA)
    assert str(error.value).startswith(sentence)
