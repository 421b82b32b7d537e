"""The engine's own life: it begins with nothing left over and ends with nothing left behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import moto.ec2.urls
import pytest

from tests.local.machines.conftest import Cloud, make_subnet
from tests.local.machines.test_processes import marked_processes
from tests.waiting import eventually, free_port
from tyrell.local.machines.engine import Machines
from tyrell.local.machines.processes import MARKER
from tyrell.local.server import start_server
from tyrell.local.settings import Settings

STUBBORN = "#cloud-config\nruncmd: [systemctl start stubborn]"
STUBBORN_UNIT = b"""
[Service]
ExecStart=/bin/sh -c "trap '' TERM; echo ready; sleep 60 & wait; wait"
TimeoutStopSec=200ms
"""


def test_a_cloud_that_stops_leaves_no_process_and_gives_moto_its_api_back(tmp_path: Path) -> None:
    before = moto.ec2.urls.url_paths["{0}/"]
    settings = Settings(home=tmp_path, port=free_port())
    machines = Machines(settings)
    machines.install()
    server = start_server(settings)
    machines.start()
    cloud = Cloud(settings, make_subnet(settings, "127.34.130.0/24"))
    instance = cloud.run(cloud.image({"etc/systemd/system/stubborn.service": STUBBORN_UNIT}), STUBBORN)
    cloud.await_state(instance, "running")
    eventually("the program runs", lambda: "ready" in cloud.console(instance))

    machines.stop()
    server.stop()

    assert marked_processes(tmp_path) == []
    assert moto.ec2.urls.url_paths["{0}/"] == before


def test_a_cloud_begins_without_the_processes_that_an_earlier_one_left(tmp_path: Path) -> None:
    left = subprocess.Popen(["/bin/sleep", "60"], env={MARKER: str(tmp_path)})
    machines = Machines(Settings(home=tmp_path))

    machines.start()
    machines.stop()

    assert left.wait(timeout=1) == -9


def test_a_host_without_setpriv_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(RuntimeError, match=r"it needs Linux and the program setpriv \(package util-linux\)"):
        Machines(Settings(home=tmp_path)).start()
