"""The log of a build as Docker sends it: what is passed on, and what is said of a failure."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tasks.build_log import BuildLog
from tasks.errors import TyrellError

BASE, CACHED, MADE = "a" * 12, "b" * 12, "c" * 12
STARTED: list[dict[str, Any]] = [
    {"stream": "Step 1/4 : FROM debian"},
    {"stream": "\n"},
    {"stream": f" ---> {BASE}\n"},
    {"stream": "Step 2/4 : RUN apt-get update\n ---> Using cache\n"},
    {"stream": f" ---> {CACHED}\nStep 3/4 : COPY link /opt\n ---> {MADE}\n"},
]
FAILED = [
    *STARTED,
    {"stream": "Step 4/4 : RUN make\n"},
    {"stream": " ---> Running in 0123456789ab\n"},
    *({"stream": f"\x1b[91mline {number}\x1b[0m\n"} for number in range(7)),
    {"stream": "Removing intermediate container 0123456789ab\n"},
    {"errorDetail": {"code": 2}, "error": "The command 'make' returned\na non-zero code: 2"},
]


def test_every_line_of_the_log_is_passed_on(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tasks.build_log"):
        BuildLog("router").follow(STARTED)
    assert caplog.messages[0] == "router: Step 1/4 : FROM debian"
    assert caplog.messages[-1] == f"router:  ---> {MADE}"
    assert len(caplog.messages) == 7


def test_a_failure_names_the_step_and_its_last_lines() -> None:
    with pytest.raises(TyrellError) as failed:
        BuildLog("router").follow(FAILED)
    assert str(failed.value) == (
        "the image of router cannot be built, step 4/4 `RUN make` failed: The command 'make' returned a non-zero"
        " code: 2; it said: line 2 | line 3 | line 4 | line 5 | line 6"
    )


def test_only_what_this_build_made_counts_as_made() -> None:
    log = BuildLog("router")
    with pytest.raises(TyrellError):
        log.follow(FAILED)
    assert log.made == [MADE]
