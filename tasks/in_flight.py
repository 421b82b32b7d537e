"""A write that is under way when its run is told to end: AWS's answer is awaited first.

Otherwise AWS might carry it out later than what the run does on its way out to take it back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

READS = ("Describe", "List", "Get", "Head")
"""How the names of operations begin that change nothing."""


class LastWord:
    """A handler of botocore's event `before-send`, which sends in its place.

    Ctrl-C and signals raise in the main thread, wherever it is; threads end what they do. So it is only the main thread
    whose writes are made by another one, and who waits for that also when it is told to end; told twice, it goes.
    """

    def __init__(self, send: Callable[[Any], Any]) -> None:
        self._send = send
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="AWS writes")

    def finish(self, request: Any, event_name: str = "", **_: Any) -> Any:
        """The answer to a write of the main thread; None of another request: botocore sends it itself."""
        reads = event_name.rpartition(".")[2].startswith(READS)
        if reads or threading.current_thread() is not threading.main_thread():
            return None
        answer: Future[Any] = Future()
        try:
            self._thread.submit(self._answer, request, answer)
            return answer.result()
        except BaseException:
            if not answer.cancel():  # it is sent already
                wait([answer])
            raise

    def _answer(self, request: Any, answer: Future[Any]) -> None:
        if answer.set_running_or_notify_cancel():
            try:
                answer.set_result(self._send(request))
            except BaseException as error:
                answer.set_exception(error)
