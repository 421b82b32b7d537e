"""A worker of a process work pool, as a team runs it, and deployments of this repository's flows for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.flows.embedded import Tyrell
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
POOL = "tests-of-ci"
START_SECONDS = 120

REGISTER = """
import sys
from prefect import flow
for entrypoint in sys.argv[2:]:
    flow.from_source(source=".", entrypoint=entrypoint).deploy(
        name="ci", work_pool_name=sys.argv[1], build=False, push=False, print_next_steps=False)
"""


@contextmanager
def worker(cloud: Tyrell, *entrypoints: str, **environment: str) -> Iterator[None]:
    """A worker with this environment while the block runs; each flow (`flows/x.py:x`) has a deployment `ci`."""
    variables = _variables(cloud) | environment
    prefect = str(Path(sys.executable).with_name("prefect"))
    for command in (
        [prefect, "work-pool", "create", "--type", "process", POOL],
        [sys.executable, "-c", REGISTER, POOL, *entrypoints],
    ):
        done = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    with started_worker(cloud, POOL, variables):
        yield


@contextmanager
def started_worker(cloud: Tyrell, pool: str, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """A worker of a pool that is there, while the block runs."""
    prefect = str(Path(sys.executable).with_name("prefect"))
    log = cloud.home / "worker.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [prefect, "worker", "start", "--pool", pool],
            env=environment or _variables(cloud),
            cwd=ROOT,
            stdout=said,
            stderr=said,
        )
    try:
        eventually("the worker to have started", lambda: b"started!" in log.read_bytes(), START_SECONDS)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _variables(cloud: Tyrell) -> dict[str, str]:
    return {
        **cloud.environment_variables,
        **cloud.cloud_environment,
        "PREFECT_HOME": str(cloud.home / "worker"),
        "PREFECT_LOGGING_EXTRA_LOGGERS": "tasks",
        "PREFECT_TASKS_DEFAULT_NO_CACHE": "true",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }


class CiJob:
    """`tyrell run` on a machine that knows the Prefect server and nothing of AWS or of this cloud."""

    def __init__(self, cloud: Tyrell, home: Path) -> None:
        kept = {name: value for name, value in cloud.environment_variables.items() if name != "TYRELL_HOME"}
        self.environment = (
            os.environ
            | kept
            | {
                "TYRELL_HOME": str(home),
                "PREFECT_HOME": str(home / "prefect"),
                "PREFECT_API_URL": cloud.cloud_environment["PREFECT_API_URL"],
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONFIG_FILE": "/nonexistent",
                "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            }
        )
        for name in [
            name for name in self.environment if name.startswith(("AWS_ACCESS", "AWS_SECRET", "AWS_ENDPOINT"))
        ]:
            del self.environment[name]

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """One that goes on by itself; what it says on both streams is one."""
        return subprocess.Popen(
            [Path(sys.executable).with_name("tyrell"), "run", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ended(self, *arguments: str) -> tuple[int, str]:
        """The exit code and what it said."""
        job = self.started(*arguments)
        said, _ = job.communicate(timeout=240)
        return job.returncode, said
