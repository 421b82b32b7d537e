"""Functions, parameters and template errors: tables of cases, one file each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tyrell.local.cloudformation.errors import ValidationError
from tyrell.local.cloudformation.functions import NO_VALUE, Scope
from tyrell.local.cloudformation.parameters import read_parameters
from tyrell.local.cloudformation.resources import TYPES
from tyrell.local.cloudformation.template import MAX_BODY, parse_template

CASES = Path(__file__).parents[2] / "cases" / "cloudformation"


def cases(name: str) -> pytest.MarkDecorator:
    """A parametrisation by the cases of one file."""
    loaded = yaml.safe_load((CASES / f"{name}.yaml").read_text())
    return pytest.mark.parametrize("case", loaded, ids=[case["why"] for case in loaded])


@dataclass(frozen=True)
class Queue:
    type: str = "AWS::SQS::Queue"
    physical_id: str = "q-1"
    attributes: dict[str, str] = field(default_factory=lambda: {"Arn": "arn:q-1", "Nested.Port": "80"})


def find_export(name: str) -> str:
    if name != "web-vpc":
        raise ValidationError(f"No export named {name} found.")
    return "vpc-1"


SCOPE = Scope(
    names={"Name": "web", "Size": "2", "Zones": ["a", "b"], "AWS::Region": "us-east-1", "AWS::NoValue": NO_VALUE},
    mappings={"Sizes": {"web": {"count": 3}}},
    conditions={"IsWeb": {"Fn::Equals": [{"Ref": "Name"}, "web"]}, "IsNot": {"Fn::Not": [{"Condition": "IsWeb"}]}},
    resources={"Queue": Queue()},
    find_export=find_export,
    zones=lambda region: [f"{region}a", f"{region}b"],
)


def message_of(error: pytest.ExceptionInfo[ValidationError]) -> str:
    return str(error.value.message)


@cases("functions")
def test_a_function_gives_what_aws_gives(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(ValidationError) as error:
            SCOPE.resolve(case["given"])
        assert case["error"] in message_of(error)
    else:
        assert SCOPE.resolve(case["given"]) == case["expect"]


@cases("parameters")
def test_a_parameter_is_checked_against_its_declaration(case: dict[str, Any]) -> None:
    declared = {"P": case["declared"]}
    if "error" in case:
        with pytest.raises(ValidationError) as error:
            read_parameters(declared, case["given"], "value of {}".format)
        assert case["error"] in message_of(error)
    else:
        assert read_parameters(declared, case["given"], "value of {}".format) == {"P": case["expect"]}


@cases("template_errors")
def test_a_wrong_template_is_refused_in_one_sentence(case: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as error:
        parse_template(case["given"], TYPES)
    assert case["error"] in message_of(error)


def test_a_template_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValidationError) as error:
        parse_template(f"Description: {'x' * MAX_BODY}\nResources: {{A: {{Type: AWS::SQS::Queue}}}}", TYPES)
    assert str(MAX_BODY) in message_of(error)


def test_yaml_with_short_tags_and_json_mean_the_same() -> None:
    short = "Resources: {A: {Type: AWS::SQS::Queue, Properties: {X: !GetAtt B.Arn}}, B: {Type: AWS::SQS::Queue}}"
    long = """{"Resources": {"A": {"Type": "AWS::SQS::Queue", "Properties": {"X": {"Fn::GetAtt": ["B", "Arn"]}}},
               "B": {"Type": "AWS::SQS::Queue"}}}"""
    assert parse_template(short, TYPES).resources == parse_template(long, TYPES).resources
    assert parse_template(short, TYPES).resources["A"].dependencies == {"B"}


def test_every_type_requires_only_properties_it_has() -> None:
    for kind in TYPES.values():
        assert kind.required <= kind.fixed | kind.mutable, kind.name
        assert not kind.fixed & kind.mutable, kind.name
