"""A run of a commit finds the files of that commit, whatever the worker's own checkout holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tasks.repositories import commit, git
from tyrell.commit_checkout import COMMIT, KEPT, enter_commit


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of a repository whose `main` went on from `one` to `two`; it is at `one`, and knows no more."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    (origin / "release.txt").write_text("one")
    commit(origin)
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    (origin / "release.txt").write_text("two")
    git(origin, "commit", "--quiet", "--all", "--message=second")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    return clone


def head(folder: Path) -> str:
    """The commit that is checked out."""
    return git(folder, "rev-parse", "HEAD")


def test_a_commit_that_the_worker_has_not_yet_is_fetched(worker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = head(worker.parent / "origin")
    monkeypatch.setenv(COMMIT, wanted)
    for _ in range(2):  # the second time it is there
        folder = Path(enter_commit(str(worker))["directory"])
        assert (Path.cwd(), sys.path[0]) == (folder, str(folder))
        assert (head(folder), Path("release.txt").read_text()) == (wanted, "two")
        assert git(folder, "remote", "get-url", "origin") == str(worker.parent / "origin")
    assert (worker / "release.txt").read_text() == "one"
    assert [each.name for each in (worker / KEPT).iterdir()] == [wanted]


def test_a_run_without_a_commit_uses_what_the_worker_has(worker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(COMMIT, raising=False)
    assert enter_commit(str(worker)) == {"directory": str(worker)}
    assert (Path.cwd(), Path("release.txt").read_text()) == (worker, "one")


def test_a_commit_that_nobody_has_is_an_error(worker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMMIT, "0" * 40)
    with pytest.raises(subprocess.CalledProcessError):
        enter_commit(str(worker))
    assert not (worker / KEPT).exists()
