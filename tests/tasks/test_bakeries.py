"""Machine images made by a command of the cloud's own."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from tasks.bake_keys import Offer
from tasks.bakeries import COMMAND, bake_offer, find_offer, own_bakery
from tasks.errors import TyrellError, UsageError

MADE = Offer(release="one", inputs={"units": "12"}, ami="ami-1")


@pytest.fixture
def bakery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that is the command; what it is asked for is in `asked` beside it."""
    script = tmp_path / "bake.py"
    monkeypatch.setenv(COMMAND, shlex.join([sys.executable, str(script), "now"]))
    write(script, f"print({MADE.model_dump_json()!r})")
    return script


def write(script: Path, line: str) -> None:
    note = "import pathlib, sys; pathlib.Path(__file__).with_name('asked').write_text(' '.join(sys.argv[1:]))"
    script.write_text(f"{note}\n{line}\n")


def asked(script: Path) -> str:
    return script.with_name("asked").read_text()


def test_without_the_variable_there_is_no_such_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(COMMAND, raising=False)
    assert own_bakery() == ()


def test_it_is_asked_what_it_would_make(bakery: Path) -> None:
    assert find_offer("link", {}) == MADE
    assert asked(bakery) == "now link --json --dry-run"


def test_it_makes_a_kind_of_machine_image(bakery: Path) -> None:
    assert bake_offer.fn("worker", {}) == MADE
    assert asked(bakery) == "now worker --json"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("sys.exit('no such kind')", "cannot bake: no such kind"),
        ("sys.exit(3)", "cannot bake: it said nothing"),
        ("print('ami-1')", "printed no machine image; its answer must be JSON: release, inputs, ami"),
    ],
)
def test_what_it_cannot_do_is_one_sentence(bakery: Path, line: str, sentence: str) -> None:
    write(bakery, line)
    with pytest.raises(TyrellError, match=sentence):
        find_offer("link", {})


def test_docker_images_are_refused_where_no_machine_can_run_them(bakery: Path) -> None:
    with pytest.raises(UsageError, match="cannot run the Docker image of router: they are plain processes"):
        bake_offer.fn("link", {"router": "somebody/router"})


def test_a_command_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMAND, "/nowhere/bake")
    with pytest.raises(TyrellError, match=r"`/nowhere/bake link --json --dry-run` cannot bake: .*No such file"):
        find_offer("link", {})
