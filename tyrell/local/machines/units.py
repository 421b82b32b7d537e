"""systemd's service units, read: a small honest subset of systemd.unit(5), systemd.service(5) and systemd.exec(5).

A directive that is not in the subset is an error that names it: a unit never runs otherwise than its file says.
"""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tyrell.local.machines.command_line import Command, parse_assignments, parse_command

UNIT_FOLDER = "/etc/systemd/system"

SUPPORTED = {
    "Unit": {
        *("Description", "Documentation", "After", "Wants", "Requires", "FailureAction"),
        *("StartLimitIntervalSec", "StartLimitBurst"),
    },
    "Service": {
        *("Type", "Environment", "EnvironmentFile", "ExecStartPre", "ExecStart", "Restart", "RestartSec"),
        *("TimeoutStartSec", "TimeoutStopSec", "KillSignal", "StateDirectory", "WorkingDirectory"),
    },
}
CHOICES = {
    "Type": {"simple", "exec", "oneshot"},
    "Restart": {"no", "on-success", "on-failure", "always"},
    "FailureAction": {"none", "poweroff"},
}
SECONDS = {"": 1, "s": 1, "sec": 1, "ms": 0.001, "m": 60, "min": 60, "h": 3600, "hr": 3600}
TIME_SPAN = re.compile(r"(?:\d+(?:\.\d+)?\s*[a-z]*\s*)+")

Directives = Mapping[tuple[str, str], list[str]]


class UnitError(Exception):
    """A unit that cannot be used, in one sentence."""


@dataclass(frozen=True)
class Unit:
    """One service. Times are seconds, paths are the machine's; a `-` before an environment file means optional."""

    name: str
    exec_start: tuple[Command, ...]
    exec_start_pre: tuple[Command, ...]
    after: tuple[str, ...]
    wants: tuple[str, ...]
    requires: tuple[str, ...]
    failure_action: str
    start_limit_interval: float
    start_limit_burst: int
    type: str
    environment: Mapping[str, str]
    environment_files: tuple[str, ...]
    restart: str
    restart_sec: float
    timeout_start_sec: float
    timeout_stop_sec: float
    kill_signal: signal.Signals
    state_directory: str | None
    working_directory: str


def load_unit(folder: Path, name: str) -> Unit:
    """The unit `name` (`x.service`, or `x@1.service` from `x@.service`) from its file in `folder`.

    Raises UnitError when there is no such file or something in it is not supported.
    """
    stem = name.removesuffix(".service")
    template, at, instance = stem.partition("@")
    files = [folder / name, *([folder / f"{template}@.service"] if at else [])]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        raise UnitError(f"{name}: there is no such unit in {UNIT_FOLDER}")
    try:
        return _unit(name, _directives(file.read_text(), {"%i": instance, "%n": name, "%%": "%"}))
    except ValueError as problem:
        raise UnitError(f"{name}: {problem}") from problem


def _directives(text: str, specifiers: Mapping[str, str]) -> Directives:
    """Every value of each (section, key), in order. An empty value forgets those before it, as in systemd."""
    found: dict[tuple[str, str], list[str]] = {}
    section = ""
    for line in text.replace("\\\n", " ").splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", ";")):
            continue
        if stripped.startswith("["):
            section = stripped.strip("[]")
        elif section != "Install":
            key, equals, value = (part.strip() for part in stripped.partition("="))
            if not equals or key not in SUPPORTED.get(section, ()):
                raise ValueError(f"[{section}] {key}= is not supported on a local machine")
            values = found.setdefault((section, key), [])
            values.append(_specified(value, specifiers)) if value else values.clear()
    return found


def _specified(value: str, specifiers: Mapping[str, str]) -> str:
    def replace(found: re.Match[str]) -> str:
        if found[0] not in specifiers:
            raise ValueError(f"the specifier {found[0]} is not supported; %i, %n and %% are")
        return specifiers[found[0]]

    return re.sub(r"%.?", replace, value)


def _unit(name: str, directives: Directives) -> Unit:
    def values(section: str, key: str) -> list[str]:
        return directives.get((section, key), [])

    def last(section: str, key: str, default: str) -> str:
        value = [default, *values(section, key)][-1]
        if value not in CHOICES.get(key, {value}):
            raise ValueError(f"{key}={value} is not supported; {', '.join(sorted(CHOICES[key]))} are")
        return value

    def names(key: str) -> tuple[str, ...]:
        return tuple(name for value in values("Unit", key) for name in value.split())

    service_type = last("Service", "Type", "simple")
    exec_start = tuple(parse_command(line) for line in values("Service", "ExecStart"))
    if not exec_start or (len(exec_start) > 1 and service_type != "oneshot"):
        raise ValueError(f"Type={service_type} has {len(exec_start)} ExecStart= lines; it needs one")
    kill_signal = last("Service", "KillSignal", "SIGTERM")
    if kill_signal not in signal.Signals.__members__:
        raise ValueError(f"KillSignal={kill_signal} is not the name of a signal")
    return Unit(
        name=name,
        exec_start=exec_start,
        exec_start_pre=tuple(parse_command(line) for line in values("Service", "ExecStartPre")),
        after=names("After"),
        wants=names("Wants"),
        requires=names("Requires"),
        failure_action=last("Unit", "FailureAction", "none"),
        start_limit_interval=parse_time_span(last("Unit", "StartLimitIntervalSec", "10s")),
        start_limit_burst=int(last("Unit", "StartLimitBurst", "5")),
        type=service_type,
        environment=parse_assignments(" ".join(values("Service", "Environment"))),
        environment_files=tuple(values("Service", "EnvironmentFile")),
        restart=last("Service", "Restart", "no"),
        restart_sec=parse_time_span(last("Service", "RestartSec", "100ms")),
        timeout_start_sec=parse_time_span(last("Service", "TimeoutStartSec", "90s")),
        timeout_stop_sec=parse_time_span(last("Service", "TimeoutStopSec", "90s")),
        kill_signal=signal.Signals[kill_signal],
        state_directory=last("Service", "StateDirectory", "") or None,
        working_directory=last("Service", "WorkingDirectory", "/"),
    )


def parse_time_span(text: str) -> float:
    """`5`, `100ms`, `1min 30s` in seconds (systemd.time(7)). Raises ValueError for anything else."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text)
    if not TIME_SPAN.fullmatch(text) or any(unit not in SECONDS for _, unit in parts):
        raise ValueError(f"{shlex.quote(text)} is not a time span such as 5, 100ms or '1min 30s'")
    return sum(float(number) * SECONDS[unit] for number, unit in parts)
