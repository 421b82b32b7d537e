"""What routers say of the registry: real HTTP servers answer as ours and as the original ones do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tasks.model import Machine
from tasks.registry import Member
from tasks.role_parts import ByRegistry
from tasks.roles import load_role
from tasks.watchers import State, ask_state, unseen

UP, DOWN = "http://10.0.0.1:3001", "http://10.0.0.1:3002"
OWN = {
    "version": "v1",
    "targets": [
        {"url": UP, "version": "v1", "tenantId": None, "state": "UP", "reason": ""},
        {"url": DOWN, "version": "v1", "tenantId": None, "state": "DOWN", "reason": "status 500"},
    ],
}
ORIGINAL = {
    "class": ["router-state"],
    "properties": {},
    "entities": [
        {"class": ["target-state"], "properties": {"url": UP, "status": "UP"}, "links": []},
        {"class": ["target-state"], "properties": {"url": DOWN, "status": "DOWN"}, "links": []},
    ],
    "links": [],
}


@contextmanager
def router(says: Any) -> Iterator[Machine]:
    """A machine whose router answers that at `/state`."""
    address, port = "127.31.0.78", load_role("router").health.port

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/state" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(says).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((address, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield Machine(id="i-1", address=address, lifecycle="InService")
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def traffic() -> ByRegistry:
    kind = load_role("target").traffic
    assert isinstance(kind, ByRegistry)
    return kind


def test_our_router_says_what_it_believes(traffic: ByRegistry) -> None:
    with router(OWN) as machine:
        assert ask_state(machine, traffic) == State("v1", {UP: "", DOWN: "DOWN: status 500"})


def test_the_original_router_says_who_is_up_but_not_which_version_is_live(traffic: ByRegistry) -> None:
    with router(ORIGINAL) as machine:
        assert ask_state(machine, traffic) == State(None, {UP: "", DOWN: "DOWN"})


@pytest.mark.parametrize("says", [OWN, ORIGINAL])
def test_who_is_down_and_who_is_not_heard_of_yet_is_unseen(traffic: ByRegistry, says: Any) -> None:
    members = tuple(Member(url=url, version="v1") for url in (UP, DOWN, "http://10.0.0.1:3003"))
    with router(says) as machine:
        down, unknown = unseen(machine, traffic, members)
    assert down.startswith(f"i-1 sees {DOWN} DOWN")
    assert unknown == "i-1 sees http://10.0.0.1:3003 unlisted: it has not heard of it yet"


def test_a_router_that_does_not_answer_sees_nobody(traffic: ByRegistry) -> None:
    (why,) = unseen(Machine(id="i-2", address="127.31.0.79", lifecycle="InService"), traffic, ())
    assert why.startswith("i-2 does not answer /state: ")
