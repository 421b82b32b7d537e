"""A metrics stack on machines that are containers, with two small images that stand in for Grafana and Loki."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker

from tasks.build_contexts import archive
from tasks.clients import ec2, http_client
from tasks.influxdb import query, write
from tasks.monitoring.stacks import find_metrics
from tasks.monitoring.users import find_admin
from tests.bakes.bakery import Bakery
from tests.images.servers import registry_server
from tests.waiting import eventually

NAME = "lab-metrics"
STAND_INS = {"grafana": (3000, 472, "/etc/grafana"), "loki": (3100, 10001, "/etc/loki")}
"""Port, user and what is listed, for each service."""
STANDING_IN = Path(__file__).with_name("standing_in.py")


@contextmanager
def registry_of_stand_ins(base: str, folder: Path) -> Iterator[dict[str, str]]:
    """A registry that has the stand-ins, made of the image `base`, as the engine has not; references by service."""
    client = docker.from_env()
    with registry_server(folder, ask=False) as registry:
        references = {name: f"{registry.name}/stand-in/{name}:1" for name in STAND_INS}
        for name, (port, user, files) in STAND_INS.items():
            dockerfile = (
                f"FROM {base}\nENV PORT={port} FILES={files}\nUSER {user}\n"
                'COPY standing_in.py /\nENTRYPOINT ["python3", "/standing_in.py"]\nCMD ["as it is"]\n'
            )
            context = archive({"Dockerfile": dockerfile, "standing_in.py": STANDING_IN})
            client.images.build(fileobj=io.BytesIO(context), custom_context=True, tag=references[name], rm=True)
            assert "digest" in client.images.push(references[name])
            client.images.remove(references[name])
        try:
            yield references
        finally:
            for reference in references.values():
                client.images.remove(reference, force=True)
            client.close()


class MetricsStack:
    """A metrics stack that is up."""

    def __init__(self, bakery: Bakery, baked: dict[str, Any], said: str) -> None:
        self.tyrell, self.baked, self.said = bakery.tyrell, baked, said

    def told(self, service: str) -> Any:
        """What a stand-in tells through the load balancer; None when it cannot be reached."""
        with http_client() as client:
            answer = client.get(f"http://{find_metrics(NAME).outputs['Host']}:{STAND_INS[service][0]}/")
        return answer.json() if answer.status_code == 200 else None

    def await_told(self, service: str) -> Any:
        """What a stand-in tells once it is there."""
        return eventually(f"{service} to answer", lambda: self.told(service), 60)

    def put(self, value: int) -> None:
        """Write one point."""
        write(find_admin(NAME), "telegraf", [f"written value={value}"])

    def points(self) -> list[float]:
        """The values that were put."""
        found = query(find_admin(NAME), "SELECT value FROM written", "telegraf")
        return [row[1] for series in found for row in series.rows]

    def machine(self) -> str:
        """The id of the machine that works; empty when there is none."""
        filters = [
            {"Name": "tag:tyrell:metrics", "Values": [NAME]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        found = ec2().describe_instances(Filters=filters)["Reservations"]  # type: ignore[arg-type]
        return found[0]["Instances"][0]["InstanceId"] if found else ""

    def replace_machine(self) -> None:
        """Lose the machine, and wait until the next one serves."""
        lost = self.machine()
        ec2().terminate_instances(InstanceIds=[lost])
        eventually("another machine serves", lambda: self.machine() not in {"", lost} and self._serves(), 120)

    def _serves(self) -> bool:
        return self.tyrell.run("metrics", "status", NAME).returncode == 0
