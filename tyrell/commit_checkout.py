"""The pull step of the deployments: a run that is of a commit runs the flows, and releases the roles, of that commit.

Imports nothing of ours: what is imported afterwards has to come from the commit.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

COMMIT = "TYRELL_COMMIT"
"""The environment variable that says of which commit a run is; `tyrell run` sets it."""
CHECKOUT = "TYRELL_CHECKOUT"
"""The environment variable with a worker's own checkout, where that is not the folder that deployments name."""
KEPT = ".tools/commits"
"""Where commits are checked out, below the worker's own checkout; `make clean` removes them."""


def enter_commit(directory: str) -> dict[str, str]:
    """Make the checkout of the run's commit the working directory; without a commit, the worker's own.

    That is `directory`, where the deployments were registered, unless the worker says that its own lies elsewhere.

    The packages are those that the worker was installed with. Raises CalledProcessError with git's own words on
    standard error when there is no such commit, also not in `origin`.
    """
    commit, directory = os.environ.get(COMMIT, ""), os.environ.get(CHECKOUT, directory)
    folder = str(_checkout(Path(directory), commit)) if commit else directory
    os.chdir(folder)
    sys.path.insert(0, folder)
    return {"directory": folder}


def _checkout(ours: Path, commit: str) -> Path:
    """A clone of its own at that commit: whoever runs another one at the same time is not disturbed."""
    found = _git(ours, "rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}", must=False)
    if not found:
        _git(ours, "fetch", "--quiet", "origin", commit)
        found = _git(ours, "rev-parse", "--verify", "FETCH_HEAD^{commit}")
    folder = ours / KEPT / found
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        _git(made, "clone", "--quiet", "--shared", "--no-checkout", str(ours), ".")
        _git(made, "checkout", "--quiet", "--detach", found)
        if origin := _git(ours, "remote", "get-url", "origin", must=False):
            _git(made, "remote", "set-url", "origin", origin)
        try:
            made.rename(folder)
        except OSError:  # another run was quicker
            shutil.rmtree(made)
    return folder


def _git(folder: Path, *arguments: str, must: bool = True) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=must, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()
