"""Gives free targets to tenants, safely while others do the same."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from link.shared.etcd import Etcd, EtcdRefused, Record, Snapshot, putting, unchanged, unwritten_since
from link.shared.records import TARGETS, VERSION_KEY, Target, version_from_json

ATTEMPTS = 20

logger = logging.getLogger(__name__)


async def allocate(
    etcd: Etcd, tenant: str, size: int, *, counts: Callable[[Target], bool], usable: Callable[[Target], bool]
) -> list[Target]:
    """Give the tenant targets of the live version until it has `size` that count, as far as free usable ones allow.

    Returns the tenant's targets of the live version that count. No two tenants get the same target and a tenant never
    gets more than `size`: the transaction holds only if nobody has written any target's record, or the live version,
    since they were read. A record keeps its lease, so a dead target still disappears. Raises `EtcdUnavailable`, and
    `EtcdRefused` after too many conflicts.
    """
    for _ in range(ATTEMPTS):
        snapshot = await etcd.read(VERSION_KEY, TARGETS)
        live = _live_targets(snapshot)
        held = [target for target in live if target.tenant == tenant and counts(target)]
        free = [target for target in live if target.tenant is None and usable(target)]
        given = [target.given_to(tenant) for target in _choose(free, held, size - len(held))]
        if not given:
            return held
        if await _write(etcd, snapshot, given):
            urls = [target.url for target in given]
            logger.info("targets allocated", extra={"fields": {"tenantId": tenant, "targets": urls}})
            return held + given
    raise EtcdRefused(f"the targets' records changed {ATTEMPTS} times while some were being given to {tenant}")


async def _write(etcd: Etcd, snapshot: Snapshot, given: Sequence[Target]) -> bool:
    before = [snapshot.records[target.key] for target in given]
    compares = [
        unwritten_since(TARGETS, snapshot.revision),
        unchanged(snapshot.records[VERSION_KEY]),
        *(unchanged(record) for record in before),
    ]
    puts = [putting(old.key, new.to_json(), old.lease) for old, new in zip(before, given, strict=True)]
    return await etcd.transact(compares, puts)


def _live_targets(snapshot: Snapshot) -> list[Target]:
    """The well-formed records of the live version, each under its own key."""
    version_record: Record | None = snapshot.records.get(VERSION_KEY)
    version = version_from_json(version_record.value) if version_record else None
    targets = [(key, Target.from_json(record.value)) for key, record in sorted(snapshot.records.items())]
    return [target for key, target in targets if target and target.key == key and target.version == version]


def _choose(free: Sequence[Target], held: Sequence[Target], missing: int) -> list[Target]:
    """Choose `missing` targets, or as many as there are: on hosts the tenant is not on yet, emptiest host first."""
    left = list(free)
    used = Counter(target.host for target in held)
    chosen: list[Target] = []
    while left and len(chosen) < missing:
        room = Counter(target.host for target in left)
        best = min(left, key=lambda target: (used[target.host], -room[target.host], target.key))
        left.remove(best)
        used[best.host] += 1
        chosen.append(best)
    return chosen
