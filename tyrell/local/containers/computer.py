"""An instance's container as a computer: what it is made of, how systemd is started in it, what it is told at boot."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import Any

from docker.models.containers import Container

from tyrell.local.containers.disks import MOUNTED_AT, volume_name
from tyrell.local.containers.docker_engine import docker_engine, home_label
from tyrell.local.containers.facts import Facts
from tyrell.local.settings import Settings

CAPABILITIES = (
    *("AUDIT_CONTROL", "DAC_READ_SEARCH", "IPC_LOCK", "LINUX_IMMUTABLE", "NET_ADMIN", "SYS_ADMIN", "SYS_BOOT"),
    *("SYS_NICE", "SYS_PTRACE", "SYSLOG"),
)
"""What systemd, and Docker Engine inside the instance, need beyond Docker's default set. SYS_RESOURCE, SYS_MODULE,
SYS_RAWIO and SYS_TIME are not among them: they are about the host, and a host may not have them to give."""

INITRD = """
while read -r _ where type _; do
  case "$type" in cgroup|cgroup2) mount -o remount,bind,rw "$where" ;; esac
done < /proc/mounts
exec /sbin/init "$@"
"""
"""Docker mounts the control groups read-only; an engine inside the instance makes groups of its own."""

ENVIRONMENT_FILE = "/etc/environment"
STOP_SIGNAL = "SIGRTMIN+3"
"""systemd's for "power off", see "Signals" in systemd(1)."""


def container_name(instance_id: str) -> str:
    """The container of an instance."""
    return f"tyrell-{instance_id}"


def build_computer(settings: Settings, network: str, facts: Facts) -> Container:
    """Create the container of an instance from its machine image, its disk is there already; it does not run yet.

    Raises docker's ImageNotFound when the machine image has no contents, APIError when the engine refuses.
    """
    api, metadata = docker_engine().api, facts.metadata
    environment = client_environment(settings)
    endpoint = api.create_endpoint_config(ipv4_address=metadata.local_ipv4, mac_address=facts.mac)
    endpoints: Any = {network: endpoint}
    created = api.create_container(
        metadata.image_location,
        command=["/bin/sh", "-c", INITRD, "initrd", *kernel_command_line(environment)],
        entrypoint=[],
        hostname=metadata.local_hostname.partition(".")[0],
        name=container_name(metadata.instance_id),
        labels=home_label(settings),
        environment={"container": "docker"},
        stop_signal=STOP_SIGNAL,
        tty=True,  # systemd's console
        host_config=_host_config(metadata.instance_id),
        mac_address=facts.mac,  # for engines before 25, which do not look at the endpoint's
        networking_config=api.create_networking_config(endpoints),
    )
    container = docker_engine().containers.get(created["Id"])
    _write_environment(container, environment)
    return container


def client_environment(settings: Settings) -> dict[str, str]:
    """What leads AWS clients to this cloud: AWS itself is found by DNS. Credentials come from the instance profile.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    return {"AWS_ENDPOINT_URL": settings.endpoint, "AWS_DEFAULT_REGION": settings.region, "AWS_REGION": settings.region}


def kernel_command_line(environment: Mapping[str, str]) -> list[str]:
    """The boot parameters: the environment of every unit, and a console that hears the journal.

    In a container systemd reads them from the command line of process 1: kernel-command-line(7), systemd(1).
    """
    variables = [f"systemd.setenv={name}={value}" for name, value in environment.items()]
    return [*variables, "systemd.journald.forward_to_console=1", "systemd.log_color=0", "systemd.show_status=0"]


def _host_config(instance_id: str) -> Any:
    config = docker_engine().api.create_host_config(
        cap_add=list(CAPABILITIES),
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        tmpfs={"/run": "exec,mode=755", "/run/lock": "", "/tmp": "exec,mode=1777"},  # noqa: S108  the machine's own
        binds=[f"{volume_name(instance_id)}:{MOUNTED_AT}"],
    )
    # The SDK has no arguments for these. Without the paths an engine inside cannot mount /proc for its containers.
    return config | {"CgroupnsMode": "private", "MaskedPaths": [], "ReadonlyPaths": []}


def _write_environment(container: Container, environment: Mapping[str, str]) -> None:
    """The same variables for login sessions, which get none from systemd: pam_env(8). `sudo -E` keeps them."""
    chunks, _ = container.get_archive(ENVIRONMENT_FILE)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        file = archive.extractfile(archive.next() or ENVIRONMENT_FILE)
        lines = file.read().decode().splitlines() if file else []
    kept = [line for line in lines if line.partition("=")[0] not in environment]
    text = "\n".join([*kept, *(f"{name}={value}" for name, value in environment.items())]) + "\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(ENVIRONMENT_FILE)
        entry.size, entry.mode = len(text), 0o644
        archive.addfile(entry, io.BytesIO(text.encode()))
    container.put_archive("/", packed.getvalue())
