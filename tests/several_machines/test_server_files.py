"""The files of `deployments/server` fit together: each setting is one of Prefect's, nothing is open or secret."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.settings import get_current_settings
from prefect_redis.client import RedisMessagingSettings

from tests.several_machines.servers import DEPLOYED, environment_file

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOYED / "compose.yaml").read_text())
UNITS = sorted((DEPLOYED / "systemd").glob("*.service"))


def secret_files(folder: Path) -> dict[str, str]:
    """What `make-secrets` makes, by name."""
    subprocess.run([str(DEPLOYED / "make-secrets"), str(folder), "redis:6379"], check=True)
    return {path.name: path.read_text() for path in folder.iterdir()}


def unit(path: Path) -> list[tuple[str, str]]:
    """The settings of a unit's service, in order; some come several times."""
    lines = path.read_text().partition("[Service]")[2].partition("[Install]")[0].splitlines()
    return [(name, value) for name, _, value in (line.partition("=") for line in lines) if value and name[0] != "#"]


@pytest.mark.parametrize("name", ["server.env", "worker.env"])
def test_every_variable_of_a_file_is_a_setting_that_takes_its_value(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in environment_file(name).items():
        monkeypatch.setenv(variable, value)
    settings = get_current_settings().copy_with_update()
    known = type(settings)().to_environment_variables(exclude_unset=True)
    assert environment_file(name).keys() <= known.keys()


def test_a_server_with_these_secrets_has_database_redis_and_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = secret_files(tmp_path / "secrets")
    for variable, value in secrets.items():
        if variable.startswith("PREFECT_"):
            monkeypatch.setenv(variable, value.strip())
    settings = type(get_current_settings())()
    assert settings.server.api.auth_string is not None
    assert settings.server.database.password is not None
    assert settings.server.docket.url == RedisMessagingSettings().url
    assert f":{secrets['redis.conf'].split()[1]}@redis:6379/" in settings.server.docket.url


def test_passwords_are_made_once_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert secret_files(folder) == secret_files(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(set(secret_files(tmp_path / "others").values()) & set(secret_files(folder).values())) == 0


def test_a_program_has_the_secrets_of_its_folder_and_nothing_is_said_of_them(tmp_path: Path) -> None:
    secrets = secret_files(tmp_path)
    words = [str(DEPLOYED / "with-secrets"), "printenv", "PREFECT_API_AUTH_STRING"]
    done = subprocess.run(
        words, env={"CREDENTIALS_DIRECTORY": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == (secrets["PREFECT_API_AUTH_STRING"], "")


def test_only_loopback_is_published() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:4200:4200"]
    started = [dict(unit(path))["ExecStart"] for path in UNITS]
    assert [command.split("--host ")[1].split()[0] for command in started if "--host" in command] == ["127.0.0.1"]


def test_every_secret_is_a_file_that_make_secrets_makes(tmp_path: Path) -> None:
    made = secret_files(tmp_path).keys()
    assert COMPOSE["secrets"].keys() == made
    assert {each["file"] for each in COMPOSE["secrets"].values()} == {f"secrets/{name}" for name in made}
    loaded = {value for path in UNITS for name, value in unit(path) if name == "LoadCredential"}
    assert {each.partition(":")[0] for each in loaded} == made - {"redis.conf"}
    assert not made & (environment_file("server.env").keys() | environment_file("worker.env").keys())
    assert all(each == f"{Path(each).name}:/etc/tyrell/secrets/{Path(each).name}" for each in loaded)


def test_containers_and_units_run_the_same_commands() -> None:
    units = {dict(unit(path))["ExecStart"].split("with-secrets ")[1].replace("127.0.0.1", "0.0.0.0") for path in UNITS}
    services = COMPOSE["services"].values()
    assert {service["command"] for service in services if service["image"] == "tyrell"} == units
