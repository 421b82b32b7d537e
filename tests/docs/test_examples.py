"""What the tutorial and the how-to pages tell to type is typed, in order, and prints what they show."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, Example, blocks, examples
from tests.docs.terminal import Terminal
from tests.flows.embedded import Tyrell, embedded_cloud
from tests.tasks.repositories import commit

PAGES = (
    "tutorial.md",
    "how-to/sweep-after-a-crash.md",
    "how-to/release.md",
    "how-to/canary-with-approval.md",
    "how-to/roll-back.md",
    "how-to/scale.md",
    "how-to/retire-and-prune.md",
    "how-to/workers.md",
    "how-to/update-the-base.md",
    "how-to/merge-buckets.md",
    "how-to/add-a-role.md",
)
"""In the order in which they are read: each begins where the one before has ended."""

NEVER_FOLLOWED = (
    "how-to/metrics.md",
    "how-to/bring-up-on-aws.md",
    "how-to/other-peoples-images.md",
    "how-to/flow-workers.md",
)
"""Every command of these needs what is not here."""

NOT_RUN = {
    ("how-to/metrics.md", "influxdb"): 9,
    ("how-to/merge-buckets.md", "stacks"): 2,
    ("how-to/bring-up-on-aws.md", "aws"): 11,
    ("how-to/other-peoples-images.md", "docker"): 4,
    ("how-to/flow-workers.md", "aws"): 8,
}
"""How many commands of a page need what is not here, as the word after `console` says."""

HERE = {"127.20.": "127.40."}
"""A cloud of the tests' own addresses, beside which the developer's may be up."""

IN_PLACE_OF = {"make demo": "tyrell up"}
"""The embedded cloud is up already: that with the tests' addresses, which the demo would not have."""


@dataclass(frozen=True)
class Reader:
    """Somebody who follows the pages, in a checkout of his own."""

    cloud: Tyrell
    checkout: Path

    def follow(self, page: str, record: Path) -> None:
        """Type every command of the page that can be run here; each has to print what is shown, and to succeed.

        One that is meant to fail has `echo $?` below it.
        """
        typed = [each for block in blocks(DOCS / page) if not block.mark for each in examples(block)]
        following = [*(each.command for each in typed[1:]), ""]
        with Terminal(self.checkout, self.environment, record) as terminal:
            for example, after in zip(typed, following, strict=True):
                output, code = terminal.run(_here(IN_PLACE_OF.get(example.command, example.command)))
                shown = Example(example.command, tuple(map(_here, example.shown)))
                assert shown.is_printed(output), f"{page}: `{example.command}` printed\n{output}"
                assert code == 0 or after == "echo $?", f"{page}: `{example.command}` failed\n{output}"

    @property
    def environment(self) -> dict[str, str]:
        """As after `. .venv/bin/activate`, in a wide terminal."""
        programs = f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}"
        return self.cloud.environment_variables | {"PATH": programs}


def _here(text: str) -> str:
    for there, here in HERE.items():
        text = text.replace(there, here)
    return text


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader with a checkout that he may change, on a cloud with nothing on it."""
    checkout = tmp_path_factory.mktemp("checkout") / "tyrell"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    commit(checkout)
    (checkout / ".venv").symlink_to(sys.prefix)
    with embedded_cloud(network="127.40.0.0/16", PYTHONPATH=str(checkout)) as cloud:
        yield Reader(cloud, checkout)


@pytest.mark.cloud
@pytest.mark.flow
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_tells_to_type_prints_what_it_shows(page: str, reader: Reader, tmp_path: Path) -> None:
    reader.follow(page, tmp_path / "output")


def test_every_page_is_followed_but_for_the_commands_that_cannot_be_run_here() -> None:
    pages = [DOCS / "tutorial.md", *DOCS.glob("how-to/*.md")]
    assert {str(page.relative_to(DOCS)) for page in pages} == {*PAGES, *NEVER_FOLLOWED, "how-to/README.md"}
    commands = [
        (page, block.mark)
        for page in (*PAGES, *NEVER_FOLLOWED)
        for block in blocks(DOCS / page)
        for _ in examples(block)
    ]
    assert Counter((page, mark) for page, mark in commands if mark) == NOT_RUN
    assert not [page for page, mark in commands if page in NEVER_FOLLOWED and not mark]


def test_what_can_be_typed_is_in_blocks_that_are_followed() -> None:
    found = {(page, block.language) for page in (*PAGES, *NEVER_FOLLOWED) for block in blocks(DOCS / page)}
    assert {language for _, language in found} == {"console", "text"}, found
