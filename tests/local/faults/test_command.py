"""`tyrell local fault`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from tests.local.faults.conftest import FaultyCloud
from tyrell.cli import app
from tyrell.local.faults.presets import presets
from tyrell.local.state import State, write_state


@pytest.fixture
def command(cloud: FaultyCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """The command with the tests' cloud, which is in this process: another one passes for its daemon."""
    monkeypatch.setenv("TYRELL_HOME", str(cloud.settings.home))
    waiting = [sys.executable, "-c", "import sys; sys.stdin.read()", "tyrell.local.daemon"]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE) as daemon:
        write_state(State(pid=daemon.pid, settings=cloud.settings, prefect_port=0))
        yield CliRunner()


def test_a_preset_adds_all_its_faults_and_clear_takes_them_back(command: CliRunner) -> None:
    added = json.loads(command.invoke(app, ["local", "fault", "add", "aws-latency", "--json"]).stdout)
    assert len(added) == len(presets()["aws-latency"].faults)
    assert json.loads(command.invoke(app, ["local", "fault", "list", "--json"]).stdout) == added
    assert len(command.invoke(app, ["local", "fault", "clear"]).stdout.splitlines()) == len(added)
    assert command.invoke(app, ["local", "fault", "list"]).stdout == "no fault is on\n"


def test_a_fault_says_whom_it_has_struck(command: CliRunner, cloud: FaultyCloud) -> None:
    command.invoke(app, ["local", "fault", "add", "latency", "--call", "sts.*", "--nth", "2"])
    for _ in range(3):
        cloud.client("sts").get_caller_identity()
    told = command.invoke(app, ["local", "fault", "list"]).stdout
    assert "latency call=sts.* nth=2: struck 1, last sts.GetCallerIdentity" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gremlins"], "Input tag 'gremlins'"),
        (["etcd-minority", "--count", "2"], "etcd-minority is a preset, which takes no options; leave out --count"),
        (["throttling", "--share", "2"], "throttling.share: Input should be less than or equal to 1"),
    ],
)
def test_bad_faults_are_refused_in_one_sentence(words: list[str], said: str) -> None:
    refused = CliRunner().invoke(app, ["local", "fault", "add", *words])
    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"tyrell: {said}")
    assert len(refused.stderr.splitlines()) == 1
