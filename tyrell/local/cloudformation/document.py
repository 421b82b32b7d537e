"""A template's text as plain dictionaries and lists: JSON, or YAML with the short tags (`!Ref`, `!Sub`, ...)."""

from __future__ import annotations

from typing import Any

import yaml

from tyrell.local.cloudformation.errors import ValidationError


class _Loader(yaml.SafeLoader):
    """Safe YAML in which `!GetAtt A.B` means `{"Fn::GetAtt": ["A", "B"]}`, and a date stays the text it is."""


def _function(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    argument: Any
    if isinstance(node, yaml.ScalarNode):
        argument = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if name == "GetAtt" and isinstance(argument, str):
        argument = argument.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": argument}


_Loader.add_multi_constructor("!", _function)
_Loader.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(body: str) -> dict[str, Any]:
    """The document in `body` (JSON is YAML too). Raises ValidationError when it is neither, or no map."""
    try:
        document = yaml.load(body, _Loader)  # noqa: S506  a SafeLoader
    except yaml.YAMLError as error:
        raise ValidationError(f"Template format error: YAML not well-formed. {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise ValidationError("Template format error: unsupported structure.")
    return document
