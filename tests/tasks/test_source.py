"""Where sources come from: git's own words about a checkout, or about a remote repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.errors import NotFound, UsageError
from tasks.source import check_clean, find_source, is_git_url, pinned
from tests.tasks.repositories import commit, git


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit on `main`."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    commit(tmp_path)
    return tmp_path


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    git(checkout, "remote", "add", "origin", "https://ann:secret@example.com/link.git")
    source = find_source(checkout)
    check_clean(checkout)
    assert source.labels == {
        "org.opencontainers.image.source": "https://example.com/link.git",
        "org.opencontainers.image.revision": git(checkout, "rev-parse", "HEAD"),
    }


def test_a_dirty_checkout_says_so_and_is_refused_on_request(checkout: Path) -> None:
    (checkout / "Dockerfile").write_text("FROM debian\n")
    (checkout / "new").touch()
    source = find_source(checkout)
    assert source.labels["org.opencontainers.image.revision"].endswith("-dirty")
    with pytest.raises(UsageError, match=r"is dirty \(Dockerfile, new\); commit, or leave out --require-clean"):
        check_clean(checkout)


def test_a_folder_without_git_has_no_labels_and_cannot_be_clean(tmp_path: Path) -> None:
    assert find_source(tmp_path).labels == {}
    with pytest.raises(UsageError, match="is not in a git repository"):
        check_clean(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com/link.git#main:docker", True),
        ("git://example.com/link", True),
        ("git@example.com:link.git", True),
        ("https://example.com/link.tar.gz", False),
        ("roles/router", False),
    ],
)
def test_git_urls_are_told_from_folders(text: str, expected: bool) -> None:
    assert is_git_url(text) is expected


def test_a_remote_ref_is_pinned_to_its_commit(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    context, source = pinned(f"{checkout}#main:docker")
    assert (context, source.revision) == (f"{checkout}#{commit}:docker", commit)
    assert pinned(context)[0] == context
    with pytest.raises(NotFound, match=r"gone of .* does not exist"):
        pinned(f"{checkout}#gone")
