"""The CI files are what GitHub and GitLab take, and ask for nothing that the release flow does not have."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows.release import release

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = {"vendor.github-workflows": "deployments/ci/github.yml", "vendor.gitlab-ci": "deployments/ci/gitlab.yml"}
FILES = [
    ("vendor.github-workflows", str(path.relative_to(ROOT))) for path in sorted(ROOT.glob(".github/workflows/*.yml"))
] + list(EXAMPLES.items())


@pytest.mark.parametrize(("schema", "file"), FILES)
def test_a_ci_file_fits_its_schema(schema: str, file: str) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    more = ["--data-transform", "gitlab-ci"] if "gitlab" in schema else []
    done = subprocess.run(
        [program, "--builtin-schema", schema, *more, ROOT / file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", EXAMPLES.values())
def test_an_example_names_parameters_that_a_release_has(file: str) -> None:
    commands = re.findall(r"tyrell run release/\w+ (.*?)--commit", (ROOT / file).read_text(), re.DOTALL)
    assert len(commands) == 3
    named = {name for command in commands for name in re.findall(r"(?:^|\s)([a-z_]+)=", command)}
    assert named == {"stack", "dry_run", "require_clean", "version"}
    assert named <= set(release.parameters.properties)
