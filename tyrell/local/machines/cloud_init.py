"""User data, read: a small honest subset of cloud-init. What is not in it is an error that names it.

https://cloudinit.readthedocs.io/en/latest/explanation/format.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
import yaml

JINJA_HEADER = "## template: jinja"
KEYS = {"write_files", "runcmd"}
FILE_KEYS = {"path", "content", "permissions", "append", "encoding"}


class CloudInitError(Exception):
    """User data that cannot be carried out, in one sentence."""


@dataclass(frozen=True)
class WriteFile:
    """One entry of `write_files`; `path` is the machine's."""

    path: str
    content: bytes
    mode: int
    append: bool


@dataclass(frozen=True)
class UserData:
    """What the first boot has to do: write the files, then run the script, then the commands, in order.

    A command is a list of words, or a line for the shell.
    """

    files: tuple[WriteFile, ...] = ()
    commands: tuple[str | list[str], ...] = ()
    script: str | None = None


def parse_user_data(text: str, instance_data: Mapping[str, Any]) -> UserData:
    """User data as a machine got it: nothing, a `#!` script, or a `#cloud-config`, perhaps a jinja template.

    Raises CloudInitError for any other format, an unknown key, or a variable that is not in `instance_data`.
    """
    first_line, _, rest = text.partition("\n")
    if first_line.strip() == JINJA_HEADER:
        return parse_user_data(_rendered(rest, instance_data), instance_data)
    if not text.strip():
        return UserData()
    if first_line.startswith("#!"):
        return UserData(script=text)
    if first_line.strip() == "#cloud-config":
        return _cloud_config(text)
    raise CloudInitError(
        f"user data begins with {first_line[:60]!r}; supported are '#!', '#cloud-config' and '{JINJA_HEADER}'"
    )


def _rendered(template: str, instance_data: Mapping[str, Any]) -> str:
    environment = jinja2.Environment(  # noqa: S701  no HTML; trim_blocks as in cloud-init
        undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    try:
        return environment.from_string(template).render(instance_data)
    except jinja2.TemplateError as problem:
        raise CloudInitError(f"user data is not a usable jinja template: {problem}") from problem


def _cloud_config(text: str) -> UserData:
    try:
        config = yaml.safe_load(text) or {}
    except yaml.YAMLError as problem:
        raise CloudInitError(f"user data is not YAML: {' '.join(str(problem).split())}") from problem
    if not isinstance(config, dict):
        raise CloudInitError(f"#cloud-config must be a mapping of keys, not a {type(config).__name__}")
    _refuse_unknown(config, KEYS, "#cloud-config")
    files = _list(config, "write_files")
    return UserData(
        files=tuple(_file(entry) for entry in files),
        commands=tuple(_command(entry) for entry in _list(config, "runcmd")),
    )


def _list(config: Mapping[str, Any], key: str) -> list[Any]:
    entries = config.get(key) or []
    if not isinstance(entries, list):
        raise CloudInitError(f"{key} must be a list, not a {type(entries).__name__}")
    return entries


def _file(entry: Any) -> WriteFile:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise CloudInitError(f"write_files: {entry!r} has no path")
    _refuse_unknown(entry, FILE_KEYS, f"write_files of {entry['path']}")
    try:
        return WriteFile(
            path=entry["path"],
            content=_decoded(str(entry.get("content", "")), entry.get("encoding", "text/plain")),
            mode=int(str(entry.get("permissions", "0644")), 8),
            append=bool(entry.get("append", False)),
        )
    except ValueError as problem:  # binascii.Error is one
        raise CloudInitError(f"write_files of {entry['path']}: {problem}") from problem


def _decoded(content: str, encoding: str) -> bytes:
    if encoding == "text/plain":
        return content.encode()
    if encoding in {"b64", "base64"}:
        try:
            return base64.b64decode(content)
        except binascii.Error as problem:
            raise ValueError(f"content is not base64: {problem}") from problem
    raise ValueError(f"encoding {encoding} is not supported; b64 and text/plain are")


def _command(entry: Any) -> str | list[str]:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, list) and entry:
        return [str(word) for word in entry]
    raise CloudInitError(f"runcmd: {entry!r} is neither a line nor a list of words")


def _refuse_unknown(given: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(str(key) for key in given if key not in known)
    if unknown:
        raise CloudInitError(f"{where}: {', '.join(unknown)} is not supported; {', '.join(sorted(known))} are")
