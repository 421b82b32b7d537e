"""mount-volume as on AWS: the volume is a block device, here a file behind a loop device."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.link_modules import ROOT

pytestmark = pytest.mark.docker  # it needs root

PROGRAM = ROOT / "packer" / "files" / "opt" / "link" / "bin" / "mount-volume"
DATA = "var/lib/data"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """The root of a Nitro instance to which a blank volume is attached."""
    (tmp_path / "etc/link").mkdir(parents=True)
    (tmp_path / "etc/link/volume").write_text("vol-0123456789abcdef0\n")
    (tmp_path / "etc/fstab").write_text("# of the machine image\n")
    by_id = tmp_path / "dev/disk/by-id"
    by_id.mkdir(parents=True)
    with (tmp_path / "dev/nvme1n1").open("wb") as disk:
        disk.truncate(64 << 20)
    (by_id / "nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0").symlink_to("../../nvme1n1")
    yield tmp_path
    unmount(tmp_path, check=False)


def mount(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *words], cwd=root, capture_output=True, text=True, check=False, timeout=60)


def unmount(root: Path, *, check: bool = True) -> None:
    subprocess.run(["umount", "--lazy", root / DATA], check=check, capture_output=True)


def test_a_blank_volume_gets_a_file_system_and_one_with_data_keeps_it(root: Path) -> None:
    assert mount(root, f"/{DATA}").returncode == 0
    (root / DATA / "kept").write_text("data")
    unmount(root)
    assert not list((root / DATA).iterdir())

    assert mount(root, f"/{DATA}").returncode == 0
    assert (root / DATA / "kept").read_text() == "data"


def test_it_is_mounted_again_by_the_next_boot_however_often_it_ran(root: Path) -> None:
    mount(root, DATA)
    mount(root, DATA)
    unmount(root)
    mount(root, DATA)

    of_the_image, ours = (root / "etc/fstab").read_text().splitlines()
    assert of_the_image == "# of the machine image"
    assert ours.startswith("UUID=")
    assert ours.endswith(f" {root}/{DATA} ext4 defaults,noatime 0 2")


def test_a_folder_with_something_in_it_is_refused_and_left_as_it_is(root: Path) -> None:
    (root / DATA).mkdir(parents=True)
    (root / DATA / "earlier").touch()

    refused = mount(root, DATA)

    assert (refused.returncode, refused.stderr) == (1, f"mount-volume: {DATA} is not empty\n")
    assert (root / DATA / "earlier").exists()


def test_without_a_volume_nobody_can_make_a_folder_to_write_to(root: Path) -> None:
    (root / "etc/link/volume").write_text("")
    (root / DATA).mkdir(parents=True)

    refused = mount(root, DATA)

    assert refused.returncode == 1
    assert (
        refused.stderr == "mount-volume: etc/link/volume does not say which volume: attach-volume has attached none\n"
    )
    with pytest.raises(FileExistsError):
        (root / DATA).mkdir(parents=True, exist_ok=True)
