"""Where sources come from: the git checkout a folder lies in, or a remote repository."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tasks.errors import NotFound, TyrellError, UsageError
from tasks.model import Noun

TIMEOUT = 60.0
"""Seconds that git may take; a remote repository may be slow."""
_GIT_URL = re.compile(r"git://.+|git@.+|https?://.+\.git(#.*)?")


class Source(Noun):
    """A commit, and whether what is on the disk differs from it."""

    url: str
    """Of the remote `origin`, without credentials; empty when it has none."""
    revision: str
    changed: tuple[str, ...] = ()
    """Files that differ from the commit, or are not in it."""

    @property
    def commit(self) -> str:
        """The commit, marked when what lies there is not quite it; empty outside of a git repository."""
        return self.revision + ("-dirty" if self.changed else "")

    @property
    def labels(self) -> dict[str, str]:
        """As labels of an image: https://github.com/opencontainers/image-spec/blob/main/annotations.md."""
        named = {"org.opencontainers.image.source": self.url, "org.opencontainers.image.revision": self.commit}
        return {name: value for name, value in named.items() if value}


def find_source(folder: Path) -> Source:
    """The commit that is checked out in `folder`; empty outside of a git repository."""
    revision = _git("-C", str(folder), "rev-parse", "--verify", "HEAD")
    if revision is None:
        return Source(url="", revision="")
    changed = _git("-C", str(folder), "status", "--porcelain") or ""
    url = _git("-C", str(folder), "remote", "get-url", "origin") or ""
    return Source(url=without_credentials(url), revision=revision, changed=tuple(changed.splitlines()))


def check_clean(folder: Path) -> None:
    """Raises UsageError when the checkout that `folder` lies in holds something that no commit has."""
    source = find_source(folder)
    if not source.revision:
        raise UsageError(f"{folder} is not in a git repository, so it has no commit to be clean against")
    if source.changed:
        first = ", ".join(line[3:] for line in source.changed[:3])
        more = f" and {len(source.changed) - 3} more" if len(source.changed) > 3 else ""
        raise UsageError(f"the tree of {folder} is dirty ({first}{more}); commit, or leave out --require-clean")


def is_git_url(text: str) -> bool:
    """Whether Docker takes `text` for a git repository."""
    return bool(_GIT_URL.fullmatch(text))


def pinned(url: str) -> tuple[str, Source]:
    """A Docker git context (`URL#ref:folder`) at the commit its ref means now. Raises NotFound."""
    repository, _, fragment = url.partition("#")
    ref, _, folder = fragment.partition(":")
    if re.fullmatch(r"[0-9a-f]{40}", ref):
        revision = ref
    else:
        listed = _git("ls-remote", "--exit-code", repository, ref or "HEAD")
        if not listed:
            raise NotFound(f"{ref or 'HEAD'} of {without_credentials(repository)}", "look at it with `git ls-remote`")
        revision = listed.split()[0]
    context = f"{repository}#{revision}" + (f":{folder}" if folder else "")
    return context, Source(url=without_credentials(repository), revision=revision)


def without_credentials(url: str) -> str:
    """The URL as anybody may read it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.scheme else url


def _git(*arguments: str) -> str | None:
    """What git says, without the last line's end; None when it fails. It asks nobody for a password."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    command = ("git", *arguments)
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=TIMEOUT, env=environment)
    except subprocess.TimeoutExpired:
        raise TyrellError(f"`git {arguments[0]}` did not answer within {TIMEOUT:g} s; look at the network") from None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None
