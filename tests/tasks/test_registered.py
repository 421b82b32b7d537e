"""The machine's own program that registers a member which does not do so itself: real processes, a real etcd."""

from __future__ import annotations

import importlib.util
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from tasks.machine_images import PACKER
from tests.link.etcd_server import HOST
from tests.waiting import eventually, free_port

PROGRAM = PACKER / "files/opt/link/lib/registered.py"
ADDRESS = "127.31.0.77"
MEMBER = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Member(BaseHTTPRequestHandler):
    status = 200
    def do_GET(self):
        self.answer(Member.status)
    def do_DELETE(self):
        self.answer(204)
        os._exit(int(self.path.strip("/")))
    def do_POST(self):
        Member.status = 503
        self.answer(204)
    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass

HTTPServer((os.environ["COREOS_PRIVATE_IPV4"], int(os.environ["MAPPED_PORT"])), Member).serve_forever()
"""


class Registration:
    """A member under the program, and what etcd says of it."""

    def __init__(self, etcd_port: int, script: Path) -> None:
        self.port = free_port(ADDRESS)
        self.url = f"http://{ADDRESS}:{self.port}"
        self.key = f"http://{HOST}:{etcd_port}/v2/keys/services/zetta/{ADDRESS}:{self.port}"
        script.write_text(MEMBER)
        self.command = [sys.executable, str(script)]
        self.environment = {
            "COREOS_PRIVATE_IPV4": ADDRESS,
            "MAPPED_PORT": str(self.port),
            "ZETTA_VERSION": "v7",
            "ETCD_PEER_HOSTS": f"127.31.0.99:4001,{HOST}:{etcd_port}",
        }

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run it until the end of the block."""
        command = [sys.executable, str(PROGRAM), "/services/zetta/", *self.command]
        with subprocess.Popen(command, env=self.environment) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)

    def record(self) -> str:
        """What is registered; empty when nothing is."""
        answer = httpx.get(self.key)
        return str(answer.json()["node"]["value"]) if answer.status_code == 200 else ""

    def await_record(self) -> str:
        """What is registered once something is."""
        return eventually("a record", self.record)


@pytest.fixture
def member(etcd_port: int, tmp_path: Path) -> Registration:
    return Registration(etcd_port, tmp_path / "member.py")


def test_a_member_is_registered_byte_for_byte_without_an_end_once_it_answers(member: Registration) -> None:
    with member.running():
        record = member.await_record()
        assert httpx.get(member.url).status_code == 200
        created = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z"
        wanted = rf'{{"type":"cloud-target","url":"{member.url}","created":"{created}","version":"v7"}}'
        assert re.fullmatch(wanted, record)
        assert "ttl" not in httpx.get(member.key).json()["node"]


def test_it_is_not_registered_any_more_when_it_was_told_to_stop(member: Registration) -> None:
    with member.running() as process:
        member.await_record()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert member.record() == ""
    with pytest.raises(httpx.ConnectError):
        httpx.get(member.url)


@pytest.mark.parametrize("status", [0, 3])
def test_however_it_ends_it_is_not_registered_any_more_and_is_started_anew(member: Registration, status: int) -> None:
    with member.running() as process:
        member.await_record()
        httpx.delete(f"{member.url}/{status}")
        assert process.wait(10) == 0
    assert member.record() == ""


def test_a_new_process_is_registered_without_the_tenant_of_the_one_before(member: Registration) -> None:
    given = {"type": "cloud-target", "tenantId": "acme", "url": member.url, "created": "before", "version": "v7"}
    httpx.put(member.key, data={"value": json.dumps(given)}).raise_for_status()
    with member.running():
        eventually("a record of the new process", lambda: "before" not in member.record())
        assert "tenantId" not in member.record()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program as a module that looks often."""
    spec = importlib.util.spec_from_file_location("registered", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "EVERY", 0.05)
    return module


@contextmanager
def served(member: Registration) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(member.command, env=member.environment) as process:
        try:
            yield process
        finally:
            process.kill()


def registry_of(member: Registration, module: ModuleType, hosts: list[str]) -> object:
    key = httpx.URL(member.key).path.removeprefix("/v2/keys")
    return module.Registry(hosts, key, member.url, "v7")


def test_one_that_does_not_answer_any_more_is_given_up(member: Registration, quick: ModuleType, etcd_port: int) -> None:
    with served(member) as process:
        registry = registry_of(member, quick, [f"{HOST}:{etcd_port}"])
        eventually("an answer", lambda: quick.ask(quick.urllib.request.Request(member.url)) == 200)
        registry.keep()  # type: ignore[attr-defined]
        httpx.post(member.url)
        assert quick.serve(process, member.url, registry) == "it does not answer"


def test_one_that_never_answers_is_given_up(
    member: Registration, quick: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "BOOT", 0.2)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as silent:
        started = time.monotonic()
        assert quick.serve(silent, member.url, registry_of(member, quick, [])) == "it does not answer"
        assert time.monotonic() - started > 0.2
        silent.kill()


def test_a_record_with_its_tenant_is_left_alone_and_one_that_is_gone_is_written_again(
    member: Registration, quick: ModuleType, etcd_port: int
) -> None:
    registry = registry_of(member, quick, ["127.31.0.99:4001", f"{HOST}:{etcd_port}"])
    registry.keep()  # type: ignore[attr-defined]
    httpx.put(member.key, data={"value": "with its tenant"}).raise_for_status()
    registry.keep()  # type: ignore[attr-defined]
    assert member.record() == "with its tenant"
    httpx.delete(member.key).raise_for_status()
    registry.keep()  # type: ignore[attr-defined]
    assert member.record().startswith('{"type":"cloud-target","url":')
