"""The digest of an image's inputs: what changes it, and what does not. No engine is needed."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tasks.build_contexts import archive, dockerfile_in, folder_context, role_context
from tasks.errors import NotFound, RoleInvalid
from tasks.recipes import inputs_digest
from tests.tasks.checkouts import add_line, copied

ROLES = ("core-services", "device-data-worker", "router", "target", "tenant-mgmt-api", "usage-api", "usage-worker")
WORKERS = {"device-data-worker", "usage-worker"}
BASES = {"debian:bookworm-slim": "sha256:1"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout of its own."""
    return copied(tmp_path / "checkout")


def digests(root: Path) -> dict[str, str]:
    """The inputs of every role's image."""
    return {role: inputs_digest(role_context(role, root), {}, BASES) for role in ROLES}


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("link/router.py", {"router"}),
        ("link/zetta/devices.py", {"target", *WORKERS}),
        ("link/tenancy/allocation.py", {"router", "tenant-mgmt-api"}),
        ("link/cluster/joining.py", {"core-services"}),
        ("link/worker_machine.py", WORKERS),
        ("link/shared/logs.py", set(ROLES)),
        ("roles/target/Dockerfile", {"target"}),
        ("roles/target/role.toml", set()),
        ("roles/router/stack.yaml.j2", set()),
    ],
)
def test_a_changed_file_changes_the_images_that_it_is_in(root: Path, file: str, changed: set[str]) -> None:
    before = digests(root)
    add_line(root / file, "# changed")
    after = digests(root)
    assert {role for role in ROLES if before[role] != after[role]} == changed


def test_what_a_dockerfile_copies_of_the_repository_is_in_the_archive_and_nothing_beside() -> None:
    with tarfile.open(fileobj=io.BytesIO(role_context("flow-worker"))) as packed:
        names = set(packed.getnames())
    assert {"flows/upgrade.py", "tyrell/flow_worker.py", "deployments/prefect.yaml", "uv.lock"} <= names
    tops = {name.split("/")[0] for name in names}
    made = {"Dockerfile", "requirements.txt"}
    assert tops == made | {"pyproject.toml", "uv.lock", "deployments", "roles", "tasks", "flows", "tyrell"}
    assert not [name for name in names if "__pycache__" in name]


def test_another_locked_version_changes_the_images_that_have_the_package(root: Path) -> None:
    before = digests(root)
    lock = root / "uv.lock"
    lock.write_text(lock.read_text().replace('name = "multidict"\nversion = "', 'name = "multidict"\nversion = "9'))
    after = digests(root)
    assert {role for role in ROLES if before[role] != after[role]} == {*ROLES} - {"core-services"}


def test_build_arguments_and_base_images_are_inputs() -> None:
    seen = {
        inputs_digest(b"context", {}, BASES),
        inputs_digest(b"other", {}, BASES),
        inputs_digest(b"context", {"BASE": "debian:trixie-slim"}, BASES),
        inputs_digest(b"context", {}, {"debian:bookworm-slim": "sha256:2"}),
    }
    assert len(seen) == 4


def test_another_checkout_of_the_same_files_has_the_same_digests(root: Path, tmp_path: Path) -> None:
    other = copied(tmp_path / "other")
    for file in other.rglob("*"):
        file.chmod(0o775 if file.is_dir() else 0o664)
    assert digests(root) == digests(other)


def test_the_executable_bit_and_the_name_of_a_file_are_inputs(tmp_path: Path) -> None:
    file = tmp_path / "run"
    file.write_text("#!/bin/sh\n")
    plain = archive({"run": file})
    file.chmod(0o755)
    assert len({plain, archive({"run": file}), archive({"start": file})}) == 3


def test_a_folder_is_its_files_without_what_dockerignore_names(tmp_path: Path) -> None:
    for name, text in {
        "Dockerfile": "FROM scratch",
        "kept": "",
        "secret": "",
        ".dockerignore": "# why\nsecret",
    }.items():
        (tmp_path / name).write_text(text)
    with tarfile.open(fileobj=io.BytesIO(folder_context(tmp_path))) as tar:
        assert tar.getnames() == [".dockerignore", "Dockerfile", "kept"]


def test_what_cannot_be_built_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"role 'ruoter' does not exist; there are core-services"):
        role_context("ruoter", root)
    (root / "roles/target/Dockerfile").unlink()
    with pytest.raises(NotFound, match=r"roles/target/Dockerfile does not exist; write one"):
        role_context("target", root)
    with pytest.raises(NotFound, match=rf"{tmp_path}/Dockerfile does not exist; name a folder"):
        folder_context(tmp_path)
    dockerfile = root / "roles/router/Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("link.router", "link.ruoter"))
    with pytest.raises(RoleInvalid, match=r"roles/router/Dockerfile: module link.ruoter does not exist"):
        role_context("router", root)


def test_roles_that_share_a_dockerfile_each_get_its_text() -> None:
    device_data, usage = (role_context(role) for role in sorted(WORKERS))
    assert dockerfile_in(device_data) == dockerfile_in(usage)
    assert "link.worker_machine" in dockerfile_in(usage)
