"""A folder of this computer as a folder of a running container, without a trace anywhere else.

Docker decides about mounts when it makes a container; a volume is attached later. Linux can mount from one mount
namespace into another since 5.2: open_tree(2), setns(2), move_mount(2). The mount ends with the container.

    python -m tyrell.local.containers.graft PID in FOLDER TARGET      python -m ... PID out TARGET

A process of its own, because setns(2) takes no program with threads into a mount namespace. The C library of Debian 12
has no functions for the two calls, hence their numbers (the same on every architecture).
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

OPEN_TREE, MOVE_MOUNT = 428, 429
AT_FDCWD = -100
OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4
MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def mount(pid: int, folder: str, target: str) -> None:
    """Mount `folder` at `target` of the container whose process `pid` is. Raises OSError."""
    tree = _checked(folder, _libc.syscall, OPEN_TREE, AT_FDCWD, folder.encode(), OPEN_TREE_CLONE)
    _enter(pid)
    Path(target).mkdir(exist_ok=True)
    _checked(target, _libc.syscall, MOVE_MOUNT, tree, b"", AT_FDCWD, target.encode(), MOVE_MOUNT_F_EMPTY_PATH)


def unmount(pid: int, target: str) -> None:
    """Undo `mount`; whoever has files open there keeps them. Raises OSError."""
    _enter(pid)
    _checked(target, _libc.umount2, target.encode(), MNT_DETACH)
    Path(target).rmdir()


def _enter(pid: int) -> None:
    namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
    _checked(f"process {pid}", _libc.setns, namespace, 0)


def _checked(what: str, call: Callable[..., int], *arguments: object) -> int:
    answer = call(*arguments)
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return answer


if __name__ == "__main__":
    _, pid, direction, *paths = sys.argv
    try:
        (mount if direction == "in" else unmount)(int(pid), *paths)
    except OSError as problem:
        sys.exit(str(problem))
