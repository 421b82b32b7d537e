"""The records in etcd. Other components read them too: the names and order of their fields are fixed."""

import json
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

VERSION_KEY = "/zetta/version"
TARGETS = "/services/zetta/"
PEERS = "/router/zetta/"


@dataclass(frozen=True, slots=True)
class Target:
    """A registered target; free as long as it has no tenant."""

    url: str
    created: str
    version: str
    tenant: str | None = None

    @property
    def key(self) -> str:
        """Where it is registered."""
        return TARGETS + self.authority

    @property
    def authority(self) -> str:
        """Its `ip:port`."""
        return urlsplit(self.url).netloc

    @property
    def host(self) -> str:
        """The address of the machine it runs on."""
        return self.authority.rpartition(":")[0]

    def given_to(self, tenant: str) -> "Target":
        """Return the same target as this tenant's."""
        return replace(self, tenant=tenant)

    def to_json(self) -> str:
        """Return the record byte for byte as it stands in etcd: this order of keys, no spaces."""
        tenant = {} if self.tenant is None else {"tenantId": self.tenant}
        rest = {"url": self.url, "created": self.created, "version": self.version}
        return _compact({"type": "cloud-target"} | tenant | rest)

    @classmethod
    def from_json(cls, text: str) -> "Target | None":
        """Read a record; None when it is not that of a target."""
        try:
            record = json.loads(text)
            target = cls(record["url"], record["created"], record["version"], record.get("tenantId"))
            parts = urlsplit(target.url)
            usable = parts.scheme == "http" and parts.hostname and parts.port
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        texts = (target.created, target.version, target.tenant or "")
        return target if usable and all(isinstance(text, str) for text in texts) else None


@dataclass(frozen=True, slots=True)
class Peer:
    """A hub that is connected to a tenant's target."""

    name: str
    tenant: str
    url: str
    created: str

    @property
    def key(self) -> str:
        """Where it is recorded."""
        return f"{PEERS}{self.tenant}/{self.name}"

    @property
    def host(self) -> str:
        """The address of the machine that its target runs on."""
        return urlsplit(self.url).hostname or ""

    def to_json(self) -> str:
        """Return the record as it stands in etcd."""
        return _compact({"name": self.name, "tenantId": self.tenant, "url": self.url, "created": self.created})

    @classmethod
    def from_json(cls, text: str) -> "Peer | None":
        """Read a record; None when it is not that of a peer."""
        try:
            record = json.loads(text)
            fields = [record[name] for name in ("name", "tenantId", "url", "created")]
        except (ValueError, KeyError, TypeError):
            return None
        return cls(*fields) if all(isinstance(field, str) for field in fields) else None


def version_from_json(text: str) -> str | None:
    """Read the live version out of the value of `/zetta/version`; None when there is none in it."""
    try:
        version = json.loads(text)["version"]
    except (ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, str) else None


def _compact(record: dict[str, str]) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)
