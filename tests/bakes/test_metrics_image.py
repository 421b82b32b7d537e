"""The machine image of metrics stacks, baked by Packer: InfluxDB with its data on a volume, Grafana and Loki beside.

For Grafana and Loki two small images stand in, in a registry of the test's own: what is proved is that such services
are pulled when the image is baked, get their files, state and environment, are started and reached. It is no proof of
Grafana itself, nor of Loki, nor that they take these files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tasks.roles import FOLDER
from tasks.secrets import find_secret
from tests.bakes.bakery import Bakery
from tests.bakes.metrics import NAME, MetricsStack, registry_of_stand_ins

pytestmark = [pytest.mark.docker, pytest.mark.cloud]


@pytest.fixture(scope="module")
def metrics(cloud: Bakery, led_there: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricsStack]:
    """A metrics stack of an image that was just baked; the registry is gone when its machine boots."""
    [built] = cloud.tyrell.json("build-image", "metrics")
    own = built["image"]["reference"]
    with registry_of_stand_ins(own, tmp_path_factory.mktemp("registry")) as references:
        images = [f"--image={name}={reference}" for name, reference in {"metrics": own, **references}.items()]
        baked = json.loads(cloud.tyrell.ok("bake", "--kind", "metrics", *images, "--json", timeout=300))
    said = cloud.tyrell.ok("metrics", "up", NAME, "--network", "demo-network", timeout=300)
    yield MetricsStack(cloud, baked, said)
    cloud.tyrell.ok("metrics", "down", NAME, "--yes", "--delete-data", "--yes-delete-data", NAME)


def test_nothing_is_skipped_that_is_in_the_image(metrics: MetricsStack) -> None:
    assert set(metrics.baked["build"]["images"]) == {"metrics", "grafana", "loki"}
    assert "tyrell:without" not in metrics.baked["build"]["tags"]
    assert "skipped" not in metrics.said


def test_grafana_starts_with_the_passwords_and_the_files_of_its_role(metrics: MetricsStack) -> None:
    told = metrics.await_told("grafana")
    reader, grafana = (find_secret(f"tyrell/{NAME}/{user}") or {} for user in ("reader", "grafana"))
    environment = told["environment"]
    assert environment["GF_SECURITY_ADMIN_PASSWORD"] == grafana["password"]
    assert (environment["INFLUX_USERNAME"], environment["INFLUX_PASSWORD"]) == ("reader", reader["password"])
    assert environment["INFLUX_URL"] == f"http://{environment['COREOS_PRIVATE_IPV4']}:8086"
    assert environment["GF_PATHS_DATA"] == environment["STATE_DIRECTORY"] == "/var/lib/metrics/grafana"
    here = FOLDER / "metrics" / "grafana"
    assert told["files"] == sorted(str(file.relative_to(here)) for file in here.rglob("*") if file.is_file())
    assert (told["user"], told["may write files"]) == (472, False)


def test_loki_starts_as_its_image_says_with_the_configuration_of_its_role(metrics: MetricsStack) -> None:
    told = metrics.await_told("loki")
    assert (told["files"], told["arguments"], told["user"]) == (["local-config.yaml"], ["as it is"], 10001)
    assert "INFLUX_PASSWORD" not in told["environment"]


def test_the_next_machine_has_what_the_former_one_wrote(metrics: MetricsStack) -> None:
    metrics.put(1)
    before = metrics.await_told("grafana")["starts"]
    metrics.replace_machine()
    assert metrics.points() == [1]
    assert metrics.await_told("grafana")["starts"] > before


def test_a_backup_brings_back_what_was_there(metrics: MetricsStack) -> None:
    before = metrics.points()
    metrics.tyrell.ok("metrics", "backup", NAME)
    metrics.put(2)
    metrics.tyrell.ok("metrics", "restore", NAME, "--yes")
    assert metrics.points() == before
