"""What those that pass requests on say of the registry: ours, and the original routers."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx

from tasks.clients import http_json
from tasks.groups import find_groups
from tasks.model import Machine
from tasks.registry import Member
from tasks.role_parts import ByRegistry
from tasks.roles import load_role


class State(NamedTuple):
    """What a watcher believes."""

    version: str | None
    """The live version; None when it does not say, as the original routers do not."""
    wrong: dict[str, str]
    """What is wrong with each member it knows, by URL; empty for one that is up."""


def find_watchers(stack: str, traffic: ByRegistry) -> tuple[Machine, ...]:
    """The working machines of every version of the role that passes requests on by the pointer."""
    return tuple(machine for group in find_groups(stack, traffic.watched_by) for machine in group.in_service)


def ask_state(watcher: Machine, traffic: ByRegistry) -> State | str:
    """What a watcher believes, or why it does not say."""
    port = load_role(traffic.watched_by).health.port
    try:
        answer = http_json(f"http://{watcher.address}:{port}/state")
    except (httpx.HTTPError, ValueError) as error:
        return str(error) or type(error).__name__
    return _original_state(answer) if "entities" in answer else _own_state(answer)


def unseen(watcher: Machine, traffic: ByRegistry, members: tuple[Member, ...]) -> tuple[str, ...]:
    """Which of `members` the watcher does not see up, and why; empty when it sees them all."""
    state = ask_state(watcher, traffic)
    if isinstance(state, str):
        return (f"{watcher.id} does not answer /state: {state}",)
    seen = {member.url: state.wrong.get(member.url, "unlisted: it has not heard of it yet") for member in members}
    return tuple(f"{watcher.id} sees {url} {wrong}" for url, wrong in seen.items() if wrong)


def _own_state(answer: dict[str, Any]) -> State:
    wrong = {
        each["url"]: "" if each["state"] == "UP" else f"{each['state']}: {each['reason'] or 'no reason given'}"
        for each in answer["targets"]
    }
    return State(str(answer["version"]), wrong)


def _original_state(answer: dict[str, Any]) -> State:
    """Siren (https://github.com/kevinswiber/siren): an entity for each member."""
    told = (entity["properties"] for entity in answer["entities"])
    return State(None, {each["url"]: "" if each["status"] == "UP" else str(each["status"]) for each in told})
