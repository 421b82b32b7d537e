"""The door to a stack's etcd (v3, through the JSON gateway that every member serves)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, NamedTuple

import etcd3gw
import requests
from etcd3gw.exceptions import ConnectionFailedError, ConnectionTimeoutError, Etcd3Exception

from tasks.errors import EtcdUnreachable


class Record(NamedTuple):
    """A key as it was read; `revision` is what a later write compares with (0: the key did not exist)."""

    key: str
    value: str
    revision: int


def _text(encoded: str) -> str:
    return b64decode(encoded).decode()


def _bytes(text: str) -> str:
    return b64encode(text.encode()).decode()


class Etcd:
    """The members of one stack's etcd, tried in turn. Every call raises EtcdUnreachable when none answers."""

    def __init__(self, stack: str, addresses: tuple[str, ...], port: int, timeout: float = 3.0) -> None:
        self.stack = stack
        self.endpoints = tuple(f"{address}:{port}" for address in addresses)
        session = requests.Session()
        session.trust_env = False  # proxies of the environment do not lead into the network
        self._clients = [
            etcd3gw.client(host=address, port=port, timeout=timeout, session=session, api_path="/v3/")
            for address in addresses
        ]

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        reason = "no member is known"
        for client in self._clients:
            try:
                answer: dict[str, Any] = client.post(client.get_url(path), json=body)
            except ConnectionTimeoutError:
                reason = f"no answer within {client.timeout:g} s"
            except ConnectionFailedError:
                reason = "nobody accepts the connection"
            except (Etcd3Exception, requests.RequestException) as error:
                reason = getattr(error, "detail_text", None) or str(error) or type(error).__name__
            else:
                return answer
        raise EtcdUnreachable(self.stack, self.endpoints, reason)

    def get(self, key: str) -> Record:
        """The key's value, or an empty value at revision 0."""
        found = self._post("/kv/range", {"key": _bytes(key)}).get("kvs", [])
        if not found:
            return Record(key, "", 0)
        return Record(key, _text(found[0]["value"]), int(found[0]["mod_revision"]))

    def list(self, prefix: str) -> tuple[Record, ...]:
        """Every key that starts with `prefix`, in order."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self._post("/kv/range", {"key": _bytes(prefix), "range_end": _bytes(end)}).get("kvs", [])
        return tuple(Record(_text(kv["key"]), _text(kv.get("value", "")), int(kv["mod_revision"])) for kv in found)

    def replace(self, seen: Record, value: str) -> bool:
        """Write `value` if the key is still as it was `seen`; False when somebody wrote it meanwhile.

        One transaction, see https://etcd.io/docs/v3.5/learning/api/#transaction.
        """
        unchanged = {
            "key": _bytes(seen.key),
            "target": "MOD",
            "result": "EQUAL",
            "mod_revision": str(seen.revision),
        }
        put = {"request_put": {"key": _bytes(seen.key), "value": _bytes(value)}}
        return bool(self._post("/kv/txn", {"compare": [unchanged], "success": [put]}).get("succeeded", False))

    def members(self) -> tuple[str, ...]:
        """The names of the cluster's members that have started."""
        return tuple(
            member["name"] for member in self._post("/cluster/member/list", {}).get("members", []) if "name" in member
        )
