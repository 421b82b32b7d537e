"""What a first boot does, and how a boot that fails is told: through the EC2 API, with real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.machines.conftest import Cloud
from tyrell.local.machines.images import Link

pytestmark = pytest.mark.cloud

ONESHOT = b"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo enabled unit ran'\n"


def test_user_data_that_is_a_script_runs_once_in_the_root_folder(cloud: Cloud) -> None:
    instance = cloud.run(cloud.image({}), "#!/bin/sh\necho hello from $(pwd | sed 's/.*instances//')\n")

    cloud.await_state(instance, "running")

    assert f"cloud-init: hello from /{instance}/root" in cloud.console(instance)


def test_user_data_that_is_a_template_knows_the_instance(cloud: Cloud) -> None:
    instance = cloud.run(
        cloud.image({}),
        """## template: jinja
#cloud-config
runcmd:
  - echo "{{ v1.instance_id }} {{ v1.region }} {{ ds.meta_data.local_ipv4 }} {{ ds.meta_data.instance_type }}"
""",
    )

    running = cloud.await_state(instance, "running")

    facts = [instance, "us-east-1", running["PrivateIpAddress"], running["InstanceType"]]
    assert " ".join(facts) in cloud.console(instance)


def test_files_come_before_enabled_units_and_commands_after_them(cloud: Cloud) -> None:
    image = cloud.image(
        {
            "etc/systemd/system/enabled.service": ONESHOT,
            "etc/systemd/system/multi-user.target.wants/enabled.service": b"",
        }
    )
    user_data = "#cloud-config\nwrite_files: [{path: /etc/x, content: y}]\nruncmd: [[cat, etc/x]]"
    instance = cloud.run(image, user_data)

    cloud.await_state(instance, "running")

    console = cloud.console(instance)
    places = [console.index(text) for text in ("wrote /etc/x", "enabled unit ran", "cloud-init: y")]
    assert places == sorted(places)


def test_a_program_of_the_image_is_started_by_its_path_on_the_machine(cloud: Cloud) -> None:
    greet = b"#!/bin/sh\necho greetings, $1\n"
    image = cloud.image({"opt/link/bin/greet": greet, "usr/local/bin/linked": Link(Path("/bin/echo"))})
    commands = "[[/opt/link/bin/greet, list], /opt/link/bin/greet line, greet path, [linked, 'greetings, link']]"
    instance = cloud.run(image, f"#cloud-config\nruncmd: {commands}")

    cloud.await_state(instance, "running")

    for who in ("list", "line", "path", "link"):
        assert f"greetings, {who}" in cloud.console(instance)


def test_a_command_that_fails_is_reported_and_the_boot_goes_on(cloud: Cloud) -> None:
    instance = cloud.run(cloud.image({}), "#cloud-config\nruncmd: [['false'], [no-such-program], echo went on]")

    cloud.await_state(instance, "running")

    console = cloud.console(instance)
    assert "cloud-init: false: exit status 1" in console
    assert "no-such-program: no such program" in console
    assert "cloud-init: went on" in console


def test_a_file_of_the_user_data_replaces_a_link_and_not_what_it_points_to(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "host-file").write_text("of the host")
    image = cloud.image({"etc/linked": Link(tmp_path / "host-file")})
    user_data = "#cloud-config\nwrite_files: [{path: /etc/linked, content: of the machine}]\nruncmd: [cat etc/linked]"
    instance = cloud.run(image, user_data)

    cloud.await_state(instance, "running")

    assert "cloud-init: of the machine" in cloud.console(instance)
    assert (tmp_path / "host-file").read_text() == "of the host"


@pytest.mark.parametrize(
    ("user_data", "reason"),
    [
        ("#cloud-config\npackages: [nginx]", "#cloud-config: packages is not supported; runcmd, write_files are"),
        ("## template: jinja\n#cloud-config\nruncmd: ['{{ v1.nonsense }}']", "has no attribute 'nonsense'"),
        ("#cloud-config\nruncmd: [systemctl start nonsense]", "nonsense.service: there is no such unit"),
        ("#cloud-config\nruncmd: [systemctl stop x]", "'systemctl stop x' is not supported"),
        ("#!/bin/sh\nsystemctl start x\n", "systemctl inside a shell script is not supported"),
        (
            "#cloud-config\nruncmd: [systemctl start limited]",
            "limited.service: [Service] LimitNOFILE= is not supported",
        ),
        ("#cloud-config\nruncmd: [systemctl start broken]", "broken.service failed: exit status 3"),
    ],
)
def test_a_failed_boot_stops_the_instance_and_says_why(cloud: Cloud, user_data: str, reason: str) -> None:
    units = {
        "etc/systemd/system/limited.service": b"[Service]\nExecStart=/bin/true\nLimitNOFILE=5\n",
        "etc/systemd/system/broken.service": (
            b"[Unit]\nFailureAction=poweroff\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'exit 3'\n"
        ),
    }
    instance = cloud.run(cloud.image(units), user_data)

    stopped = cloud.await_state(instance, "stopped")

    assert reason in stopped["StateReason"]["Message"]
    assert reason in cloud.console(instance)


def test_an_image_without_contents_does_not_boot(cloud: Cloud, unique: str) -> None:
    instance = cloud.run(cloud.ec2.register_image(Name=unique)["ImageId"])

    stopped = cloud.await_state(instance, "stopped")

    assert "has no contents" in stopped["StateReason"]["Message"]
