"""Every folder under roles/ is checked by being there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tasks.errors import NotFound, RoleInvalid, SizeOutOfBounds
from tasks.roles import FOLDER, Role, in_stages, load_role, role_names, roles_beside
from tasks.templates import unit_files, user_data, version_template

VALID = (FOLDER / "router" / "role.toml").read_text()
AGENTS = ("metrics-agent.service", "log-shipper.service")
"""What all machines of the kind run."""


def write_role(folder: Path, text: str, name: str = "router") -> Path:
    (folder / name).mkdir()
    (folder / name / "role.toml").write_text(text)
    return folder


@pytest.mark.parametrize("name", role_names())
def test_a_role_folder_is_complete(name: str) -> None:
    role = load_role(name)
    assert {path.name for path in (FOLDER / name).iterdir()} >= {"role.toml", "stack.yaml.j2", "user-data.yaml.j2"}
    assert {access.source for access in role.access} <= {*role_names(), "stack", "operator"}
    assert set(role.needs) <= {*role_names(), "metrics"}


@pytest.mark.parametrize("name", role_names())
def test_a_machine_starts_exactly_the_units_its_image_carries(name: str) -> None:
    role = load_role(name)
    carried = {unit.replace("@.service", "") for unit in unit_files(role)}
    started = {re.sub(r"(@\d+)?\.service$", "", unit) for service in role.services for unit in service.units}
    assert {unit.removesuffix(".service") for unit in carried} == started


def test_a_machine_is_replaced_when_a_service_that_it_is_there_for_fails_for_good() -> None:
    units = unit_files(load_role("tenant-mgmt-api"))
    assert {name for name, unit in units.items() if "FailureAction=poweroff" in unit} == {"tenant-mgmt-api.service"}
    assert "metrics-collector.service" in units


def test_services_end_before_the_agents_of_their_machine_do() -> None:
    """Systemd stops them in the reverse of the order in which After= has them started."""
    router, core = unit_files(load_role("router")), unit_files(load_role("core-services"))
    after = f"\nAfter=network-online.target {' '.join(AGENTS)}\n"
    assert after in router["link-router.service"]
    assert after in core["etcd.service"]
    for agent in AGENTS:
        assert "\nAfter=network-online.target\n" in core[agent]


@pytest.mark.parametrize("name", role_names())
def test_a_template_is_yaml_that_names_no_secret(name: str) -> None:
    units = unit_files(load_role(name))
    assert not [unit for unit in units.values() if re.search("password|secret|token", unit, re.IGNORECASE)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("instance_type", "instance_tpye"), r"roles/router/role\.toml: instance_t"),
        (("[size]\n", "[size]\nmiddle = 3\n"), r"roles/router/role\.toml: size\.middle: unknown key"),
        (('kind = "load-balancer"', 'kind = "dns"'), "'load-balancer', 'registry', 'queue', 'none'"),
        (("default = 2", "default = 99"), "min 1 <= default 99 <= max 12 does not hold"),
        (("port = 3000", 'port = "http"'), r"health\.port: Input should be a valid integer"),
        (("[size]", "[size"), r"roles/router/role\.toml: Expected ']'"),
    ],
)
def test_a_bad_role_file_is_named_with_its_key(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    assert change[0] in VALID
    with pytest.raises(RoleInvalid, match=sentence):
        load_role("router", write_role(tmp_path, VALID.replace(*change)))


def test_an_unknown_role_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        NotFound, match="role 'ruoter' does not exist; there are core-services, device-data-worker, flow-worker, router"
    ):
        load_role("ruoter")


@pytest.mark.parametrize("size", [0, 13])
def test_a_size_outside_the_bounds_is_refused(size: int) -> None:
    with pytest.raises(SizeOutOfBounds, match=rf"size {size} of router is outside its bounds 1 to 12"):
        load_role("router").check_size(size)


def test_roles_are_deployed_after_what_they_need() -> None:
    stages = [{role.name for role in stage} for stage in in_stages(map(load_role, role_names()))]
    assert stages[0] == {"core-services"}
    assert {"router", "target", "tenant-mgmt-api"} <= stages[1]


def test_a_role_is_in_no_stack_without_one_that_it_needs_nor_where_it_is_to_be_asked_for() -> None:
    assert {role.name for role in roles_beside([])} == set(role_names()) - {"usage-api", "flow-worker"}
    assert {role.name for role in roles_beside(["metrics"])} == set(role_names()) - {"flow-worker"}


def test_roles_that_need_each_other_are_refused() -> None:
    router = load_role("router")
    circle: list[Role] = [
        router.model_copy(update={"name": "one", "needs": ("two",)}),
        router.model_copy(update={"name": "two", "needs": ("one",)}),
    ]
    with pytest.raises(RoleInvalid, match="one, two need each other in a circle"):
        in_stages(circle)


def test_the_manual_shows_every_key_of_a_role() -> None:
    manual = (FOLDER / "README.md").read_text()
    example = re.search(r"```toml\n(.*?)```", manual, re.DOTALL)
    assert example
    shown = set(re.findall(r"^\[*([a-z_]+)|^#? ?([a-z_]+) =", example.group(1), re.MULTILINE))
    words = {word for pair in shown for word in pair if word}
    assert set(Role.model_fields) - {"name"} <= words


def test_user_data_is_the_cloud_config_it_says_it_is() -> None:
    for name in role_names():
        text = user_data(load_role(name))
        assert text.startswith("## template: jinja\n#cloud-config\n")
        assert set(yaml.safe_load(text)) <= {"write_files", "runcmd"}


@pytest.mark.parametrize("name", role_names())
def test_machines_of_the_same_kind_of_image_run_the_services_that_are_for_all_of_them(name: str) -> None:
    role = load_role(name)
    started = [command[-1] for command in yaml.safe_load(user_data(role))["runcmd"] if "systemctl" in command]
    own = [unit for service in role.services for unit in service.units]
    shared = [] if name == "core-services" or role.machine_image != "link" else [*AGENTS]
    assert started == own + shared


def test_with_the_v2_api_every_machine_knows_it_and_the_balancer_checks_the_original_path() -> None:
    router, plain = load_role("router"), load_role("core-services")
    assert "REGISTRY_API=v2\n" in user_data(router, "v2")
    assert "REGISTRY_API=v2\n" in user_data(plain, "v2")
    assert "HealthCheckPath: /state\n" in version_template(router, "v2")
    assert "HealthCheckPath: /health\n" in version_template(router)
