"""Unit files, command lines and time spans, read as systemd reads them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tyrell.local.machines.command_line import Command, expand, parse_command, parse_environment_file
from tyrell.local.machines.units import UnitError, load_unit, parse_time_span

WHOLE = r"""
# everything that is supported
[Unit]
Description=A unit
After=a.service b.service
After=c.service
Wants=a.service
Requires=b.service
FailureAction=poweroff
StartLimitIntervalSec=1min
StartLimitBurst=3
[Service]
Type=exec
Environment=PORT=300%i "GREETING=two words"
EnvironmentFile=-/etc/%i.env
ExecStartPre=-/bin/first
ExecStartPre=/bin/second
ExecStart=/bin/main --name %n \
    100%%
Restart=on-success
RestartSec=100ms
TimeoutStartSec=20
TimeoutStopSec=1min 30s
KillSignal=SIGINT
StateDirectory=link
WorkingDirectory=/opt/link
[Install]
WantedBy=multi-user.target
"""


def test_a_template_unit_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "target@.service").write_text(WHOLE)

    unit = load_unit(tmp_path, "target@1.service")

    assert unit.after == ("a.service", "b.service", "c.service")
    assert (unit.wants, unit.requires) == (("a.service",), ("b.service",))
    assert unit.failure_action == "poweroff"
    assert (unit.start_limit_interval, unit.start_limit_burst) == (60, 3)
    assert unit.environment == {"PORT": "3001", "GREETING": "two words"}
    assert unit.environment_files == ("-/etc/1.env",)
    assert unit.exec_start_pre == (Command(("/bin/first",), ignore_failure=True), Command(("/bin/second",)))
    assert unit.exec_start == (Command(("/bin/main", "--name", "target@1.service", "100%")),)
    assert (unit.type, unit.restart, unit.restart_sec) == ("exec", "on-success", 0.1)
    assert (unit.timeout_start_sec, unit.timeout_stop_sec) == (20, 90)
    assert unit.kill_signal == signal.SIGINT
    assert (unit.state_directory, unit.working_directory) == ("link", "/opt/link")


def test_a_unit_of_its_own_comes_before_the_template(tmp_path: Path) -> None:
    (tmp_path / "x@.service").write_text("[Service]\nExecStart=/bin/template\n")
    (tmp_path / "x@1.service").write_text("[Service]\nExecStart=/bin/own\n")

    assert load_unit(tmp_path, "x@1.service").exec_start[0].words == ("/bin/own",)
    assert load_unit(tmp_path, "x@2.service").exec_start[0].words == ("/bin/template",)


def test_an_empty_value_forgets_those_before_it(tmp_path: Path) -> None:
    (tmp_path / "x.service").write_text("[Service]\nExecStart=/bin/old\nExecStart=\nExecStart=/bin/new\n")

    assert [command.words for command in load_unit(tmp_path, "x.service").exec_start] == [("/bin/new",)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[Service]\nExecStart=/x\nLimitNOFILE=5", "[Service] LimitNOFILE= is not supported"),
        ("[Service]\nExecStart=/x\n[Timer]\nOnBootSec=5", "[Timer] OnBootSec= is not supported"),
        ("[Service]\nExecStart=/x\nType=notify", "Type=notify is not supported; exec, oneshot, simple are"),
        ("[Service]\nExecStart=/x\nRestart=on-abort", "Restart=on-abort is not supported"),
        ("[Unit]\nFailureAction=reboot\n[Service]\nExecStart=/x", "FailureAction=reboot is not supported"),
        ("[Service]\nExecStart=/x %H", "the specifier %H is not supported"),
        ("[Service]\nExecStart=+/x", "the prefix '+' of '+/x' is not supported"),
        ("[Service]\nType=simple", "Type=simple has 0 ExecStart= lines; it needs one"),
        ("[Service]\nExecStart=/x\nExecStart=/y", "Type=simple has 2 ExecStart= lines; it needs one"),
        ("[Service]\nExecStart=/x\nKillSignal=TERM", "KillSignal=TERM is not the name of a signal"),
        ("[Service]\nExecStart=/x\nRestartSec=soon", "soon is not a time span"),
        ("[Service]\nExecStart=/x\nEnvironment=PORT", "'PORT' is not of the form NAME=value"),
        ("[Service]\nExecStart=/x 'open", "No closing quotation"),
    ],
)
def test_what_is_not_supported_is_named_with_its_unit(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "x.service").write_text(text)

    with pytest.raises(UnitError) as error:
        load_unit(tmp_path, "x.service")

    assert str(error.value).startswith(f"x.service: {complaint}")


def test_a_missing_unit_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnitError, match=r"x@1.service: there is no such unit in /etc/systemd/system"):
        load_unit(tmp_path, "x@1.service")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/x ${A} $A", ["/x", "two words", "two", "words"]),
        ("/x --flag=${A} --flag=$A", ["/x", "--flag=two words", "--flag=$A"]),
        ("/x 'quoted ${A}' \"and quoted\"", ["/x", "quoted two words", "and quoted"]),
        ("/x $$A ${MISSING} $MISSING", ["/x", "$A", ""]),
        ("$A", ["$A"]),
    ],
)
def test_variables_of_a_command_line(line: str, words: list[str]) -> None:
    assert expand(parse_command(line), {"A": "two words"}) == words


@pytest.mark.parametrize(
    ("text", "seconds"), [("5", 5), ("5s", 5), ("100ms", 0.1), ("1min 30s", 90), ("1.5 h", 5400), ("2min5", 125)]
)
def test_time_spans(text: str, seconds: float) -> None:
    assert parse_time_span(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "-5"])
def test_what_is_no_time_span(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time span"):
        parse_time_span(text)


def test_an_environment_file() -> None:
    text = "# comment\n; comment\n\nA=1\n B = 'two words' \nC=\"x=y\"\nD=\n"

    assert parse_environment_file(text) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}
