"""A small asyncio client of etcd v3, over its HTTP JSON gateway.

Keys and values travel in base64, 64-bit numbers as strings. https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
"""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from link.shared.etcd_members import EtcdRefused, EtcdUnavailable, FindMembers, Json, Members

__all__ = ["Change", "Etcd", "EtcdRefused", "EtcdUnavailable", "Record", "Snapshot"]

QUIET = 5.0


@dataclass(frozen=True, slots=True)
class Record:
    """A key as etcd holds it. `lease` is 0 when none is attached."""

    key: str
    value: str
    mod_revision: int
    version: int
    lease: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All the records asked for, as they were together at one revision."""

    records: dict[str, Record]
    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """One watched key has a new record, or none any more."""

    key: str
    record: Record | None
    revision: int


class Etcd:
    """The cluster whose members are first looked for at `endpoints`, URLs such as `http://10.0.0.1:4001`.

    Every call asks one member after the other, `timeout` seconds each, and raises `EtcdUnavailable` when none answers.
    Before that it asks the members that `find_members` finds elsewhere.
    """

    def __init__(self, endpoints: Sequence[str], timeout: float = 2.0, find_members: FindMembers | None = None) -> None:
        self._members = Members(endpoints, timeout, find_members)

    @property
    def endpoints(self) -> list[str]:
        """The members' client URLs as known now."""
        return self._members.endpoints

    async def members(self) -> set[str]:
        """Return the client URLs of the members that have started, as the cluster lists them now."""
        return set(await self._members.learn())

    async def get(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        answer = await self._members.post("/v3/kv/range", {"key": _encode(key)})
        return next((_record(found) for found in answer.get("kvs", [])), None)

    async def read(self, *prefixes: str) -> Snapshot:
        """Return every record under the prefixes, all of one revision."""
        ranges = [{"request_range": _prefix(prefix)} for prefix in prefixes]
        answer = await self._members.post("/v3/kv/txn", {"success": ranges})
        found = [_record(kv) for part in answer["responses"] for kv in part["response_range"].get("kvs", [])]
        return Snapshot({record.key: record for record in found}, int(answer["header"]["revision"]))

    async def put(self, key: str, value: str, lease: int = 0) -> int:
        """Write the key; it goes with its lease. Returns the revision; raises `EtcdRefused` without that lease."""
        answer = await self._members.post("/v3/kv/put", _put(key, value, lease))
        return int(answer["header"]["revision"])

    async def delete(self, key: str) -> bool:
        """Delete the key; False when there was none."""
        answer = await self._members.post("/v3/kv/deleterange", {"key": _encode(key)})
        return int(answer.get("deleted", 0)) > 0

    async def transact(self, compares: Sequence[Json], operations: Sequence[Json]) -> bool:
        """Do all operations if all compares hold, else nothing. Returns whether they were done."""
        answer = await self._members.post("/v3/kv/txn", {"compare": list(compares), "success": list(operations)})
        return bool(answer.get("succeeded", False))

    async def grant(self, ttl: float) -> int:
        """Return a new lease that lives `ttl` seconds (etcd counts whole ones) after it was last kept alive."""
        answer = await self._members.post("/v3/lease/grant", {"TTL": str(round(ttl))})
        return int(answer["ID"])

    async def keep_alive(self, lease: int) -> bool:
        """Renew the lease; False when it is gone, and its keys with it."""
        answer = await self._members.post("/v3/lease/keepalive", {"ID": str(lease)})
        return int(answer.get("result", {}).get("TTL", 0)) > 0

    async def revoke(self, lease: int) -> None:
        """End the lease and delete its keys; one that is already gone is fine."""
        try:
            await self._members.post("/v3/lease/revoke", {"ID": str(lease)})
        except EtcdRefused:
            return

    async def watch(self, prefixes: Sequence[str], revision: int, quiet: float = QUIET) -> AsyncIterator[Change]:
        """Yield what changes under the prefixes from `revision` on.

        Ends without an error whenever the next change might be missed: the stream broke, `revision` was compacted away,
        or nothing came for `quiet` seconds (a member that is cut off looks just like one with nothing to say). The
        caller then reads everything again and watches from there.
        """
        requests = [{"create_request": _prefix(prefix) | {"start_revision": str(revision)}} for prefix in prefixes]
        async for message in self._members.stream("/v3/watch", requests, quiet):
            result = message.get("result", {})
            if "error" in message or result.get("canceled"):
                return
            for event in result.get("events", []):
                yield _change(event)

    async def close(self) -> None:
        """Close the connections."""
        await self._members.close()


def unchanged(record: Record) -> Json:
    """Compare: nobody wrote or deleted the record since it was read."""
    return {"key": _encode(record.key), "target": "MOD", "result": "EQUAL", "mod_revision": str(record.mod_revision)}


def absent(key: str) -> Json:
    """Compare: there is no such key."""
    return {"key": _encode(key), "target": "VERSION", "result": "EQUAL", "version": "0"}


def unwritten_since(prefix: str, revision: int) -> Json:
    """Compare: no key under the prefix was written after `revision`. (Deletions do not count.)"""
    return _prefix(prefix) | {"target": "MOD", "result": "LESS", "mod_revision": str(revision + 1)}


def putting(key: str, value: str, lease: int = 0) -> Json:
    """Operation: write the key."""
    return {"request_put": _put(key, value, lease)}


def _put(key: str, value: str, lease: int) -> Json:
    return {"key": _encode(key), "value": _encode(value), "lease": str(lease)}


def _prefix(prefix: str) -> Json:
    """The range of all keys that begin with the prefix ends before the prefix with its last byte raised by one."""
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return {"key": _encode(prefix), "range_end": _encode(end)}


def _encode(text: str) -> str:
    return b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return b64decode(text).decode(errors="replace")


def _record(kv: Json) -> Record:
    numbers = (int(kv.get(name, 0)) for name in ("mod_revision", "version", "lease"))
    return Record(_decode(kv["key"]), _decode(kv.get("value", "")), *numbers)


def _change(event: Json) -> Change:
    kv = event["kv"]
    record = None if event.get("type") == "DELETE" else _record(kv)
    return Change(_decode(kv["key"]), record, int(kv["mod_revision"]))
