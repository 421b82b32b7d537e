"""What a person is told who cannot have containers. Nothing here needs a Docker Engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.flows.embedded import Tyrell
from tyrell.local.settings import Settings


@pytest.mark.parametrize("network", ["127.20.0.0/16", "8.8.0.0/16", "172.32.0.0/16"])
def test_a_network_of_containers_is_private(tmp_path: Path, network: str) -> None:
    with pytest.raises(ValidationError, match=rf"{network} is not a private network \(RFC 1918\)"):
        Settings.model_validate({"home": tmp_path, "machines": "docker", "network": network})


def test_a_network_that_is_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"10.77.0.0/25 is too small"):
        Settings.model_validate({"home": tmp_path, "machines": "docker", "network": "10.77.0.0/25"})


def test_the_api_of_a_cloud_of_containers_is_at_the_first_address_of_its_network(tmp_path: Path) -> None:
    assert Settings(home=tmp_path, machines="docker").endpoint == "http://10.77.0.1:15100"


def test_processes_stay_on_loopback_addresses(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).endpoint == "http://127.0.0.1:15100"
    with pytest.raises(ValidationError, match=r"10.77.0.0/16 is not a part of 127.0.0.0/8"):
        Settings.model_validate({"home": tmp_path, "network": "10.77.0.0/16"})


def test_without_a_docker_engine_one_sentence_says_so(tmp_path: Path) -> None:
    tyrell = Tyrell(tmp_path)
    tyrell.environment_variables["DOCKER_HOST"] = f"unix://{tmp_path}/nobody.sock"

    refused = tyrell.run("local", "up", "--machines", "docker", "--no-prefect")

    assert refused.returncode == 2
    assert f"no Docker Engine answers at unix://{tmp_path}/nobody.sock" in refused.stderr
    assert "Traceback" not in refused.stderr
