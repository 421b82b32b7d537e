"""The AWS API with faults in it: a WSGI application around that of the services."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from tyrell.local.faults.calls import Call, read_call
from tyrell.local.faults.control import PATH, Control
from tyrell.local.faults.hidden import Hidden
from tyrell.local.faults.services import error_body
from tyrell.local.faults.switches import Strike, Switches

LONGEST_STALL = 3600.0

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Answer = tuple[str, list[tuple[str, str]], bytes]
"""Status, headers and body."""

MESSAGES = {
    "throttling": "Rate exceeded",
    "server-error": "An internal error has occurred",
    "access-denied": "You are not authorized to perform this operation: {call}",
    "no-capacity": "We currently do not have sufficient capacity in the Availability Zone you requested.",
}


class FaultyApi:
    """Passes requests on to `services`, those that a fault strikes not as they are; answers the control endpoint."""

    def __init__(self, services: Application, switches: Switches) -> None:
        self._services = services
        self._switches = switches
        self._hidden = Hidden()
        self._control = Control(switches)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request."""
        if environ["PATH_INFO"].startswith(PATH):
            return self._control(environ, start_response)
        if not self._switches.any and not self._hidden.any:
            return self._services(environ, start_response)
        call = read_call(environ)
        if call is None:
            return self._services(environ, start_response)
        try:
            status, headers, body = self._answer(call, environ)
        except ConnectionAbortedError:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise
        start_response(status, headers)
        return [body]

    def _answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """Raises ConnectionAbortedError when there is to be none."""
        strikes = self._switches.meet(call)
        for strike in strikes:
            if refusal := _before(call, strike):
                return refusal
        if not call.by_cloud and (code := self._hidden.refuses(call)):
            return _refusal(call, 400, code, "what the request names does not exist")
        answer = self._pass_on(environ)
        for strike in strikes:
            match strike.fault.kind:
                case "lost-answer":
                    raise ConnectionAbortedError
                case "stalled-answer":
                    _stall(strike)
                case "not-found":
                    self._hidden.hide(call, answer[2], strike.fault.seconds)
        return answer if call.by_cloud or not call.reads else self._without_hidden(answer)

    def _pass_on(self, environ: dict[str, Any]) -> Answer:
        head: list[Any] = []
        body = b"".join(self._services(environ, lambda status, headers, *_: head.extend((status, headers))))
        return head[0], head[1], body

    def _without_hidden(self, answer: Answer) -> Answer:
        status, headers, body = answer
        seen = self._hidden.taken_out_of(body)
        if seen is body:
            return answer
        return status, [(name, value) for name, value in headers if name != "Content-Length"], seen


def _before(call: Call, strike: Strike) -> Answer | None:
    """What a fault does before the call takes effect; the answer that it gives in place of the service."""
    kind = strike.fault.kind
    match kind:
        case "latency":
            threading.Event().wait(strike.fault.seconds)
        case "stalled-request":
            _stall(strike)
        case "throttling" | "server-error" | "access-denied" | "no-capacity":
            refusal: tuple[int, str] | None = getattr(call.told, kind.replace("-", "_"))
            if refusal:
                return _refusal(call, *refusal, MESSAGES[kind].format(call=call.name))
    return None


def _stall(strike: Strike) -> None:
    """Stand still until the fault is cleared or over. Raises ConnectionAbortedError then."""
    strike.cleared.wait(strike.fault.seconds or LONGEST_STALL)
    raise ConnectionAbortedError


def _refusal(call: Call, status: int, code: str, message: str) -> Answer:
    content_type, body = error_body(call.form, code, message)
    headers = [("Content-Type", content_type), ("x-amzn-RequestId", f"fault-{time.monotonic_ns()}")]
    return f"{status} {code}", headers, body
