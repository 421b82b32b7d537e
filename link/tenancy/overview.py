"""All tenants, targets and peers as etcd holds them at one revision."""

from dataclasses import dataclass
from typing import Any

from link.shared.etcd import Etcd
from link.shared.records import PEERS, TARGETS, VERSION_KEY, Peer, Target, version_from_json


@dataclass(frozen=True)
class Overview:
    """What there is. A tenant exists as the `tenantId` of a target or as the owner of a connected peer."""

    version: str | None
    all_targets: list[Target]
    all_peers: list[Peer]

    @property
    def tenants(self) -> list[str]:
        """The tenants' names, sorted."""
        with_targets = {target.tenant for target in self.all_targets if target.tenant is not None}
        return sorted(with_targets | {peer.tenant for peer in self.all_peers})

    def targets(self, tenant: str | None) -> list[Target]:
        """The tenant's targets of every version; with None the free ones."""
        return [target for target in self.all_targets if target.tenant == tenant]

    def live_targets(self, tenant: str | None) -> list[Target]:
        """The tenant's targets of the live version; with None the free ones."""
        return [target for target in self.targets(tenant) if target.version == self.version]

    def peers(self, tenant: str) -> list[Peer]:
        """The tenant's connected peers."""
        return [peer for peer in self.all_peers if peer.tenant == tenant]

    def tenant(self, tenant: str) -> dict[str, Any]:
        """One tenant: its targets of the live version, and its peers on any version."""
        targets = [target.url for target in self.live_targets(tenant)]
        return {"id": tenant, "targets": len(targets), "totalPeers": len(self.peers(tenant)), "urls": targets}

    def counts(self) -> dict[str, Any]:
        """The numbers of the whole stack."""
        free = len(self.live_targets(None))
        live = sum(target.version == self.version for target in self.all_targets)
        return {
            "version": self.version,
            "tenants": len(self.tenants),
            "targets": live,
            "allocated": live - free,
            "available": free,
            "totalPeers": len(self.all_peers),
        }


async def read_overview(etcd: Etcd) -> Overview:
    """Read everything at once; raises `EtcdUnavailable`."""
    records = (await etcd.read(VERSION_KEY, TARGETS, PEERS)).records
    version = records.get(VERSION_KEY)
    targets = [Target.from_json(record.value) for key, record in sorted(records.items()) if key.startswith(TARGETS)]
    peers = [Peer.from_json(record.value) for key, record in sorted(records.items()) if key.startswith(PEERS)]
    return Overview(
        version=version_from_json(version.value) if version else None,
        all_targets=[target for target in targets if target is not None],
        all_peers=[peer for peer in peers if peer is not None],
    )
