"""User data, read as cloud-init reads it."""

from __future__ import annotations

import pytest

from tyrell.local.machines.cloud_init import CloudInitError, UserData, WriteFile, parse_user_data


def test_no_user_data_is_nothing_to_do() -> None:
    assert parse_user_data("\n", {}) == UserData()


def test_a_script_stays_as_it_is() -> None:
    assert parse_user_data("#!/bin/sh\necho {{ no_template }}\n", {}).script == "#!/bin/sh\necho {{ no_template }}\n"


def test_files_and_commands_of_a_cloud_config() -> None:
    text = """#cloud-config
write_files:
  - {path: /etc/plain, content: "text\\n"}
  - {path: /opt/link/bin/x, content: IyEvYmluL3NoCg==, encoding: b64, permissions: '0755', append: true}
runcmd:
  - [echo, 1]
  - echo line
"""
    assert parse_user_data(text, {}) == UserData(
        files=(
            WriteFile("/etc/plain", b"text\n", 0o644, append=False),
            WriteFile("/opt/link/bin/x", b"#!/bin/sh\n", 0o755, append=True),
        ),
        commands=(["echo", "1"], "echo line"),
    )


def test_a_template_may_be_a_script_too() -> None:
    text = "## template: jinja\n#!/bin/sh\necho {{ v1.instance_id }}\n"

    assert parse_user_data(text, {"v1": {"instance_id": "i-1"}}).script == "#!/bin/sh\necho i-1\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Content-Type: multipart/mixed", "user data begins with 'Content-Type: multipart/mixed'; supported are"),
        ("#cloud-config\nusers: []\nhostname: x", "#cloud-config: hostname, users is not supported"),
        ("#cloud-config\n- a", "#cloud-config must be a mapping of keys, not a list"),
        ("#cloud-config\na: [", "user data is not YAML: "),
        ("#cloud-config\nruncmd: echo", "runcmd must be a list, not a str"),
        ("#cloud-config\nruncmd: [5]", "runcmd: 5 is neither a line nor a list of words"),
        ("#cloud-config\nwrite_files: [{content: x}]", "write_files: {'content': 'x'} has no path"),
        ("#cloud-config\nwrite_files: [{path: /x, owner: me}]", "write_files of /x: owner is not supported"),
        ("#cloud-config\nwrite_files: [{path: /x, encoding: gz}]", "write_files of /x: encoding gz is not supported"),
        (
            "#cloud-config\nwrite_files: [{path: /x, encoding: b64, content: a}]",
            "write_files of /x: content is not base",
        ),
        ("#cloud-config\nwrite_files: [{path: /x, permissions: rw}]", "write_files of /x: invalid literal for int"),
        ("## template: jinja\n#cloud-config\n# {{ nonsense }}", "user data is not a usable jinja template: 'nonsense'"),
        ("## template: jinja\n#cloud-config\n# {{", "user data is not a usable jinja template: "),
    ],
)
def test_what_is_not_supported_is_named(text: str, complaint: str) -> None:
    with pytest.raises(CloudInitError) as error:
        parse_user_data(text, {})

    assert str(error.value).startswith(complaint)
