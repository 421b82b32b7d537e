"""That a process was told to end is known, whatever becomes of the signal inside."""

from __future__ import annotations

import subprocess
import sys

import pytest

SWALLOWED = """
import os, signal
from tyrell.signals import listen, was_told_to_end

def stumble(number, frame):
    raise InterruptedError

signal.signal(signal.SIGTERM, stumble)
listen()
before = was_told_to_end()
try:
    os.kill(os.getpid(), signal.{name})
except OSError:
    pass
print(before, was_told_to_end(), was_told_to_end())
"""


@pytest.mark.parametrize(("name", "told"), [("SIGTERM", "False True True"), ("SIGCHLD", "False False False")])
def test_a_signal_that_somebody_swallowed_is_known(name: str, told: str) -> None:
    script = SWALLOWED.format(name=name)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == told


FORKED = """
import os, signal
from tyrell.signals import listen, was_told_to_end

signal.signal(signal.SIGTERM, lambda number, frame: None)
for told in (True, False):
    if not os.fork():
        listen()
        if told:
            os.kill(os.getpid(), signal.SIGTERM)
        print(was_told_to_end(), flush=True)
        os._exit(0)
    os.wait()
"""


def test_what_one_forked_process_is_told_is_not_told_to_the_next() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
