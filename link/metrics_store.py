"""InfluxDB 1.x as the store of a metrics stack: authentication on from the first second, nothing told to anybody.

Until there is an administrator InfluxDB takes one command only, the one that makes him.
https://docs.influxdata.com/influxdb/v1/administration/authentication_and_authorization/

Settings: COREOS_PRIVATE_IPV4, STATE_DIRECTORY (where the data lie), PORT (8086), BACKUP_PORT (8088, of this machine
only: who reaches it needs no password).
"""

import os
import shutil
import sys
from collections.abc import Mapping

from link.shared.environment import Environment, SettingError

BACKUP_PORT = 8088
LOOPBACK = "127.0.0.1"


def settings(environment: Environment) -> Mapping[str, str]:
    """Return InfluxDB's configuration as the variables it reads; raises SettingError.

    https://docs.influxdata.com/influxdb/v1/administration/config/#environment-variables
    """
    folder = environment.text("STATE_DIRECTORY")
    return {
        "INFLUXDB_REPORTING_DISABLED": "true",
        "INFLUXDB_BIND_ADDRESS": backup_address(environment),
        "INFLUXDB_META_DIR": f"{folder}/meta",
        "INFLUXDB_DATA_DIR": f"{folder}/data",
        "INFLUXDB_DATA_WAL_DIR": f"{folder}/wal",
        "INFLUXDB_DATA_QUERY_LOG_ENABLED": "false",
        "INFLUXDB_HTTP_BIND_ADDRESS": f"{environment.address()}:{environment.port('PORT', 8086)}",
        "INFLUXDB_HTTP_AUTH_ENABLED": "true",
        "INFLUXDB_HTTP_LOG_ENABLED": "false",
        "INFLUXDB_HTTP_MAX_ROW_LIMIT": "10000",
        "INFLUXDB_CONTINUOUS_QUERIES_LOG_ENABLED": "false",
        "INFLUXDB_CONTINUOUS_QUERIES_RUN_INTERVAL": "1s",
        "INFLUXDB_MONITOR_STORE_ENABLED": "false",
    }


def backup_address(environment: Environment) -> str:
    """Return where InfluxDB hands out backups: to programs of its own machine."""
    # Machines that are processes share one loopback: each has its own part of it, and it is nobody else's.
    own = environment.address()
    return f"{own if own.startswith('127.') else LOOPBACK}:{environment.port('BACKUP_PORT', BACKUP_PORT)}"


def main() -> None:
    """Become InfluxDB. Exits 2 for a bad setting, 1 where there is no InfluxDB."""
    try:
        variables = settings(Environment(os.environ))
    except SettingError as error:
        print(f"metrics-store: {error}", file=sys.stderr)
        sys.exit(2)
    if shutil.which("influxd") is None:
        sys.exit("metrics-store: there is no program influxd on the PATH")
    os.execvpe("influxd", ["influxd", "run", "-config", os.devnull], {**os.environ, **variables})  # noqa: S606


if __name__ == "__main__":
    main()
