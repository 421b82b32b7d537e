"""Where a stack keeps its service registry: in etcd's v3 keys, or in the v2 keys that the original components speak.

Locks and marks are Tyrell's own and always v3. The two key spaces of one etcd know nothing of each other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

import httpx

from tasks.cfn_stacks import CfnStack
from tasks.clients import http_client, on_forget
from tasks.core_services import REMEMBERED, find_etcd
from tasks.errors import EtcdUnreachable, UsageError
from tasks.etcd import Etcd, Record, delete, put, unchanged
from tasks.locks import Lock, check_held
from tasks.model import RegistryApiName, Stack
from tasks.stacks import find_stack

KEY_NOT_FOUND, COMPARE_FAILED, KEY_EXISTS = 100, 101, 105
"""https://etcd.io/docs/v2.3/errorcode/"""

OUTPUT = "RegistryApi"
"""Of the base stack."""

Form = dict[str, str] | None

_known: dict[str, tuple[float, RegistryApiName]] = {}
on_forget(_known.clear)


class RegistryApi(Protocol):
    """What Tyrell does with the keys of a registry. Every call raises EtcdUnreachable when no member answers."""

    def get(self, key: str) -> Record:
        """The key's value, or an empty value at revision 0."""

    def list(self, prefix: str) -> tuple[Record, ...]:
        """Every key below `prefix`, which ends with a slash, in order."""

    def write(self, seen: Record, value: str, lock: Lock | None) -> bool:
        """Write the key; False when somebody has written it since it was `seen`, or the lock is lost."""

    def remove(self, keys: Sequence[str], lock: Lock | None) -> bool:
        """Delete the keys; False when the lock is lost."""


def find_registry(stack: str) -> RegistryApi:
    """The registry of the stack, by the API that it was brought up with."""
    etcd = find_etcd(stack)
    return RegistryV2(etcd) if find_registry_api(stack) == "v2" else RegistryV3(etcd)


def find_registry_api(stack: str) -> RegistryApiName:
    """The API that the stack was brought up with; "v3" when there is no such stack."""
    looked, api = _known.get(stack, (0.0, "v3"))
    if time.monotonic() - looked > REMEMBERED:
        base = find_stack(stack)
        api = registry_api_of(base)
        if base and OUTPUT in base.outputs:  # or the stack is not complete yet
            _known[stack] = (time.monotonic(), api)
    return api


def registry_api_of(base: CfnStack | None) -> RegistryApiName:
    """The API that the stack with that base was brought up with; "v3" without a base."""
    return "v2" if base and base.outputs.get(OUTPUT) == "v2" else "v3"


def check_registry_api(stack: Stack) -> None:
    """Raises UsageError when the stack is there and keeps its registry with another API than is asked for."""
    base = find_stack(stack.name)
    if base and registry_api_of(base) != stack.registry_api:
        raise UsageError(
            f"the registry of stack {stack.name} is kept with etcd's {registry_api_of(base)} API, and what is in it"
            f" would be lost to {stack.registry_api}; bring up another stack for that"
        )


class RegistryV3:
    """A registry in v3 keys: one transaction compares with what was read and with the lock."""

    def __init__(self, etcd: Etcd) -> None:
        self._etcd = etcd
        self.get, self.list = etcd.get, etcd.list

    def write(self, seen: Record, value: str, lock: Lock | None) -> bool:
        """See `RegistryApi`."""
        compares = [unchanged(seen), *(lock.fence if lock else [])]
        return self._etcd.transact(compares, [put(seen.key, value)])

    def remove(self, keys: Sequence[str], lock: Lock | None) -> bool:
        """See `RegistryApi`."""
        return self._etcd.transact(lock.fence if lock else [], [delete(key) for key in keys])


class RegistryV2:
    """A registry in v2 keys. https://etcd.io/docs/v2.3/api/

    A write compares with what was read. It cannot compare with the lock, which is looked at immediately before: here
    LockLost is raised.
    """

    def __init__(self, etcd: Etcd) -> None:
        self._etcd = etcd

    def get(self, key: str) -> Record:
        """See `RegistryApi`."""
        node = self._ask("GET", key, {"quorum": "true"}).get("node")
        return _record(node) if node else Record(key, "")

    def list(self, prefix: str) -> tuple[Record, ...]:
        """See `RegistryApi`."""
        found = self._ask("GET", prefix.rstrip("/"), {"quorum": "true", "recursive": "true"})
        return tuple(sorted(_leaves(found["node"]))) if "node" in found else ()

    def write(self, seen: Record, value: str, lock: Lock | None) -> bool:
        """See `RegistryApi`."""
        check_held(lock)
        compare = {"prevIndex": str(seen.revision)} if seen.revision else {"prevExist": "false"}
        return "node" in self._ask("PUT", seen.key, compare, {"value": value})

    def remove(self, keys: Sequence[str], lock: Lock | None) -> bool:
        """See `RegistryApi`."""
        check_held(lock)
        for key in keys:
            self._ask("DELETE", key, {})
        return True

    def _ask(
        self, method: Literal["GET", "PUT", "DELETE"], key: str, query: dict[str, str], form: Form = None
    ) -> dict[str, Any]:
        """What the first member that accepts the connection answers; no `node` in it when the key is not as wanted."""
        reason = "no member is known"
        with http_client() as client:
            for endpoint in self._etcd.endpoints:
                try:
                    answer = client.request(method, f"http://{endpoint}/v2/keys{key}", params=query, data=form)
                except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                    reason = str(error) or type(error).__name__
                except httpx.TransportError as error:  # it may have done it: another one would do it twice
                    reason = str(error) or type(error).__name__
                    break
                else:
                    return self._read(answer)
        raise EtcdUnreachable(self._etcd.stack, self._etcd.endpoints, reason)

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.headers.get("content-type", "").startswith("application/json"):
            body: dict[str, Any] = answer.json()
            if answer.is_success:
                return body
            if body.get("errorCode") in {KEY_NOT_FOUND, COMPARE_FAILED, KEY_EXISTS}:
                return {}
        reason = f"its v2 API answers {answer.status_code} {answer.text[:200].strip()}"
        raise EtcdUnreachable(self._etcd.stack, self._etcd.endpoints, reason)


def _leaves(node: dict[str, Any]) -> Iterator[Record]:
    if not node.get("dir"):
        yield _record(node)
    for child in node.get("nodes", []):
        yield from _leaves(child)


def _record(node: dict[str, Any]) -> Record:
    return Record(node["key"], node.get("value", ""), node["modifiedIndex"], node["createdIndex"])
