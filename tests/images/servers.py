"""Where images come from and go to: a git server and a registry on loopback, real ones."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.waiting import eventually, free_port

HOST = "127.0.0.1"


def listens(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def serving(command: list[str], port: int, log: Path) -> Iterator[None]:
    """Run a server until the block is over."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            eventually(f"{command[0]} to listen on port {port}", lambda: listens(port))
            yield
        finally:
            server.terminate()


@contextmanager
def git_server(repository: Path, folder: Path) -> Iterator[str]:
    """Serve a repository; its URL. https://git-scm.com/docs/git-daemon"""
    port = free_port()
    options = ["--export-all", "--reuseaddr", f"--listen={HOST}", f"--port={port}", f"--base-path={repository}"]
    with serving(["git", "daemon", *options], port, folder / "git.log"):
        yield f"git://{HOST}:{port}/.git"


class Registry:
    """A registry, empty at first, that lets only `login` in, as (name, password)."""

    login = ("ann", "open sesame")

    def __init__(self, name: str) -> None:
        self.name = name

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository. https://distribution.github.io/distribution/spec/api/#listing-image-tags"""
        answer = httpx.get(f"http://{self.name}/v2/{repository}/tags/list", auth=self.login, trust_env=False)
        return sorted(answer.json()["tags"] or []) if answer.status_code == 200 else []


@contextmanager
def registry_server(folder: Path, *, ask: bool = True) -> Iterator[Registry]:
    """Debian's `docker-registry`, with its data in `folder`; it asks for passwords, which it knows by `htpasswd`."""
    port = free_port()
    settings: dict[str, object] = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": f"{HOST}:{port}"},
    }
    if ask:
        passwords = subprocess.run(["htpasswd", "-Bbn", *Registry.login], check=True, capture_output=True).stdout
        (folder / "htpasswd").write_bytes(passwords)
        settings["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    (folder / "registry.yml").write_text(json.dumps(settings))  # JSON is YAML
    with serving(["docker-registry", "serve", str(folder / "registry.yml")], port, folder / "registry.log"):
        yield Registry(f"{HOST}:{port}")
