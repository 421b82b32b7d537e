"""The door to a stack's etcd (v3, through the JSON gateway that every member serves)."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

import etcd3gw
import requests
from etcd3gw.exceptions import ConnectionFailedError, ConnectionTimeoutError, Etcd3Exception

from tasks.errors import DataLost, EtcdUnreachable

COMPACTED, FUTURE = "required revision has been compacted", "required revision is a future revision"
"""How etcd refuses to say what was at a revision. https://github.com/etcd-io/etcd/blob/v3.5.0/server/mvcc/kv.go"""

Compare = dict[str, Any]
Operation = dict[str, Any]


class Record(NamedTuple):
    """A key as it was read; a later write compares with `revision` or `created` (0: the key did not exist)."""

    key: str
    value: str
    revision: int = 0
    created: int = 0


class Contents(NamedTuple):
    """All keys of an etcd at one revision: what they were then never changes any more."""

    revision: int
    digests: dict[str, str]
    """SHA-256 of each value, in hex, by key."""

    @property
    def digest(self) -> str:
        """SHA-256 of all keys and values, in hex."""
        return hashlib.sha256(json.dumps(sorted(self.digests.items())).encode()).hexdigest()


def _text(encoded: str) -> str:
    return b64decode(encoded).decode()


def _bytes(text: str) -> str:
    return b64encode(text.encode()).decode()


def unchanged(seen: Record) -> Compare:
    """Holds while nobody has written the key since it was `seen`."""
    return {"key": _bytes(seen.key), "target": "MOD", "result": "EQUAL", "mod_revision": str(seen.revision)}


def made_at(key: str, created: int) -> Compare:
    """Holds while the key is still the one that was made at that revision (0: there is none)."""
    return {"key": _bytes(key), "target": "CREATE", "result": "EQUAL", "create_revision": str(created)}


def put(key: str, value: str, lease: int = 0) -> Operation:
    """Write the key; with a lease it goes when the lease ends."""
    return {"request_put": {"key": _bytes(key), "value": _bytes(value), "lease": str(lease)}}


def delete(key: str) -> Operation:
    """Delete the key."""
    return {"request_delete_range": {"key": _bytes(key)}}


class Etcd:
    """The members of one stack's etcd, tried in turn. Every call raises EtcdUnreachable when none answers."""

    def __init__(self, stack: str, addresses: tuple[str, ...], port: int, timeout: float = 3.0) -> None:
        self.stack = stack
        self._addresses, self._port = addresses, port
        self.endpoints = tuple(f"{address}:{port}" for address in addresses)
        session = requests.Session()
        session.trust_env = False  # proxies of the environment do not lead into the network
        self._clients = [
            etcd3gw.client(host=address, port=port, timeout=timeout, session=session, api_path="/v3/")
            for address in addresses
        ]

    def each(self) -> tuple[Etcd, ...]:
        """A door to each member alone."""
        return tuple(Etcd(self.stack, (address,), self._port) for address in self._addresses)

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
        return _record(found[0]) if found else Record(key, "")

    def list(self, prefix: str) -> tuple[Record, ...]:
        """Every key that starts with `prefix`, in order."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self._post("/kv/range", {"key": _bytes(prefix), "range_end": _bytes(end)}).get("kvs", [])
        return tuple(map(_record, found))

    def contents(self) -> Contents:
        """All keys as they are now."""
        return self._contents(0)

    def contents_at(self, revision: int) -> Contents | None:
        """All keys as they were at an earlier revision; None when etcd has forgotten what was then.

        Raises DataLost when etcd has not come to that revision yet: it has been there before.
        """
        try:
            return self._contents(revision)
        except EtcdUnreachable as error:
            if COMPACTED in error.reason:
                return None
            if FUTURE in error.reason:
                raise DataLost(self.stack, (f"it was at revision {revision} and is behind that now",)) from None
            raise

    def _contents(self, revision: int) -> Contents:
        first = _bytes("\0")
        answer = self._post("/kv/range", {"key": first, "range_end": first, "revision": str(revision)})
        digests = {
            b64decode(kv["key"]).decode(errors="replace"): hashlib.sha256(b64decode(kv.get("value", ""))).hexdigest()
            for kv in answer.get("kvs", [])
        }
        return Contents(revision or int(answer["header"]["revision"]), digests)

    def transact(self, compares: Sequence[Compare], operations: Sequence[Operation]) -> bool:
        """Do all `operations` if all `compares` hold, else nothing; whether they held.

        One transaction, see https://etcd.io/docs/v3.5/learning/api/#transaction.
        """
        answer = self._post("/kv/txn", {"compare": list(compares), "success": list(operations)})
        return bool(answer.get("succeeded", False))

    def grant(self, seconds: int) -> int:
        """A new lease: what is written with it goes that many seconds after the last `keep_alive`."""
        return int(self._post("/lease/grant", {"TTL": seconds})["ID"])

    def keep_alive(self, lease: int) -> bool:
        """Renew the lease; False when it has ended already."""
        return int(self._post("/lease/keepalive", {"ID": lease}).get("result", {}).get("TTL", 0)) > 0

    def seconds_left(self, lease: int) -> int:
        """How long the lease lasts if nobody renews it; -1 when it has ended."""
        return int(self._post("/lease/timetolive", {"ID": lease}).get("TTL", 0))

    def revoke(self, lease: int) -> None:
        """End the lease now, and with it what was written with it; one that has ended already is fine."""
        try:
            self._post("/lease/revoke", {"ID": lease})
        except EtcdUnreachable:  # or it answers that there is no such lease
            if self.seconds_left(lease) >= 0:
                raise

    def members(self) -> tuple[str, ...]:
        """The names of the cluster's members that have started."""
        return tuple(
            member["name"] for member in self._post("/cluster/member/list", {}).get("members", []) if "name" in member
        )


def _record(kv: dict[str, str]) -> Record:
    return Record(_text(kv["key"]), _text(kv.get("value", "")), int(kv["mod_revision"]), int(kv["create_revision"]))
