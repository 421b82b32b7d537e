"""What was created but is not found yet: on AWS, a read may be answered from before the write.

https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

from __future__ import annotations

import threading
import time
from xml.etree import ElementTree

from tyrell.local.faults.calls import Call


class Hidden:
    """Names of things by which they cannot be found yet. Reads that name one are refused, lists lack it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, tuple[float, str]] = {}

    @property
    def any(self) -> bool:
        """Whether anything is hidden now."""
        return bool(self._now())

    def hide(self, call: Call, answer: bytes, seconds: float) -> None:
        """Hide for a while what the call has created, as its request and the service's answer name it."""
        creation = call.told.creates.get(call.operation)
        root = _parsed(answer)
        if creation is None or root is None:
            return
        answered = [element.text for element in root.iter() if _tag(element) in creation.fields]
        names = {call.values.get(each) for each in creation.fields} | set(answered)
        with self._lock:
            self._until |= {name: (time.monotonic() + seconds, creation.code) for name in names if name}

    def refuses(self, call: Call) -> str:
        """The error code for a read that names something hidden; empty: it is not refused."""
        hidden = self._now()
        return next((hidden[value] for value in call.values.values() if call.reads and value in hidden), "")

    def taken_out_of(self, body: bytes) -> bytes:
        """The answer of a read without what is hidden: the items of lists that a field of theirs names."""
        hidden = self._now()
        root = _parsed(body) if hidden else None
        if root is None:
            return body
        for parent in list(root.iter()):
            for item in list(parent):
                if any(field.text in hidden for field in item):
                    parent.remove(item)
        return bytes(ElementTree.tostring(root, "utf-8"))

    def _now(self) -> dict[str, str]:
        now = time.monotonic()
        with self._lock:
            self._until = {name: told for name, told in self._until.items() if told[0] > now}
            return {name: code for name, (_, code) in self._until.items()}


def _parsed(body: bytes) -> ElementTree.Element | None:
    if not body.lstrip().startswith(b"<"):
        return None
    return ElementTree.fromstring(body)  # noqa: S314  the cloud's own answer


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
