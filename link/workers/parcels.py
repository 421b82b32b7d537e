"""Parcels: the readings of one tenant and day, as one S3 object whose name comes from its messages."""

import base64
import gzip
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from link.workers.readings import Reading


@dataclass(frozen=True)
class Label:
    """Everything about a parcel but its content; `sha256` in Base64, as S3 has it."""

    key: str
    metadata: Mapping[str, str]
    messages: Sequence[str]
    size: int
    sha256: str


@dataclass(frozen=True)
class Parcel:
    """An object to write: <tenant>/<yyyy>/<m>/<d>/<start>-<end>-<id>.jsonl, or .jsonl.gz."""

    label: Label
    content: bytes


def pack(readings: Mapping[str, Iterable[Reading]], compress: bool) -> list[Parcel]:
    """Return the parcels of the messages, given the readings of each message id."""
    groups: defaultdict[tuple[str, str], list[tuple[int, str, bytes]]] = defaultdict(list)
    for message, found in readings.items():
        for reading in found:
            groups[reading.tenant, reading.day].append((reading.when, message, reading.line))
    return [_parcel(tenant, day, sorted(lines), compress) for (tenant, day), lines in sorted(groups.items())]


def _parcel(tenant: str, day: str, lines: Sequence[tuple[int, str, bytes]], compress: bool) -> Parcel:
    messages = sorted({message for _, message, _ in lines})
    identity = hashlib.sha256("\n".join(messages).encode()).hexdigest()[:32]
    start, end = lines[0][0], lines[-1][0]
    content = b"".join(line + b"\n" for _, _, line in lines)
    if compress:
        content = gzip.compress(content, mtime=0)
    label = Label(
        key=f"{tenant}/{day}/{start}-{end}-{identity}.jsonl{'.gz' if compress else ''}",
        metadata={"tenant": tenant, "startTime": str(start), "endTime": str(end)},
        messages=messages,
        size=len(content),
        sha256=base64.b64encode(hashlib.sha256(content).digest()).decode(),
    )
    return Parcel(label, content)
