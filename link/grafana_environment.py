"""Prints the environment of Grafana on a metrics machine: `grafana-environment`, before Grafana starts.

Its administrator's password and InfluxDB's reader are the secrets tyrell/METRICS/grafana and tyrell/METRICS/reader.
They are made once InfluxDB serves, so this waits for them. What it prints is for root alone.
Settings: METRICS (the metrics stack), COREOS_PRIVATE_IPV4, INFLUXDB_PORT (8086), AWS_REGION (us-east-1).
"""

import json
import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from link.cluster.machines import PATIENCE
from link.shared.environment import Environment, SettingError

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

TIMEOUT = 600.0
LOOK_EVERY = 1.0

logger = logging.getLogger(__name__)


def await_environment(environment: Environment, timeout: float = TIMEOUT) -> dict[str, str]:
    """Return Grafana's variables by name; raises `TimeoutError` that says what was missing last, `SettingError`.

    https://grafana.com/docs/grafana/v11.3/setup-grafana/configure-grafana/#override-configuration-with-environment-variables
    """
    metrics, region = environment.text("METRICS"), environment.text("AWS_REGION", "us-east-1")
    influxdb = f"http://{environment.address()}:{environment.port('INFLUXDB_PORT', 8086)}"
    client = boto3.client("secretsmanager", region_name=region, config=PATIENCE)
    deadline = time.monotonic() + timeout
    grafana = _await_secret(client, f"tyrell/{metrics}/grafana", deadline)
    reader = _await_secret(client, f"tyrell/{metrics}/reader", deadline)
    return {
        "GF_SECURITY_ADMIN_PASSWORD": grafana["password"],
        "INFLUX_URL": influxdb,  # by its own address: the load balancer may not be reached from here
        "INFLUX_USERNAME": reader["username"],
        "INFLUX_PASSWORD": reader["password"],
    }


def _await_secret(client: "SecretsManagerClient", name: str, deadline: float) -> dict[str, str]:
    last = ""
    while True:
        try:
            found: dict[str, str] = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
        except (BotoCoreError, ClientError) as error:
            if str(error) != last:
                logger.info("secret %s is not there yet: %s", name, error)
            last = str(error)
        else:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"secret {name} cannot be had: {last}")
        threading.Event().wait(LOOK_EVERY)


def main() -> None:
    """Print NAME=VALUE lines. Exits 2 for a bad setting, 1 when the secrets cannot be had in time."""
    logging.basicConfig(level=logging.INFO, format="grafana-environment: %(message)s", stream=sys.stderr)
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it tells where it has found credentials
    try:
        variables = await_environment(Environment(os.environ))
    except SettingError as error:
        print(f"grafana-environment: {error}", file=sys.stderr)
        sys.exit(2)
    except TimeoutError as error:
        sys.exit(f"grafana-environment: {error}")
    for name, value in variables.items():
        print(f"{name}={value}")


if __name__ == "__main__":
    main()
