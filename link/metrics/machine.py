"""What the machine itself does, under the names of Telegraf's inputs cpu, mem, disk, net and system.

https://github.com/influxdata/telegraf/tree/master/plugins/inputs
"""

from __future__ import annotations

import os
import time

import psutil

from link.metrics.points import Point

MEMORY = {"buffers": "buffered"}
"""What Telegraf calls otherwise than psutil."""


def read_machine() -> list[Point]:
    """Everything now; of the processors what they did since the last time, so the first time says nothing of them."""
    return [*_processors(), _memory(), _disk(), *_network(), _system()]


def _processors() -> list[Point]:
    each = enumerate(psutil.cpu_times_percent(percpu=True))
    shares = {"cpu-total": psutil.cpu_times_percent()} | {f"cpu{number}": share for number, share in each}
    return [
        Point("cpu", {"cpu": name}, {f"usage_{what}": percent for what, percent in share._asdict().items()})
        for name, share in shares.items()
    ]


def _memory() -> Point:
    memory = psutil.virtual_memory()
    sizes = {MEMORY.get(name, name): size for name, size in memory._asdict().items() if name != "percent"}
    percent = {f"{name}_percent": 100 * sizes[name] / memory.total for name in ("available", "used")}
    return Point("mem", {}, sizes | percent)


def _disk() -> Point:
    """The only volume of the machine; in a container `/` lies on it, too."""
    (mounted, *_) = (each for each in reversed(psutil.disk_partitions(all=True)) if each.mountpoint == "/")
    mode = "ro" if "ro" in mounted.opts.split(",") else "rw"
    tags = {"path": "/", "device": mounted.device.removeprefix("/dev/"), "fstype": mounted.fstype, "mode": mode}
    size, inodes = psutil.disk_usage("/"), os.statvfs("/")
    return Point(
        "disk",
        tags,
        {
            "total": size.total,
            "free": size.free,
            "used": size.used,
            "used_percent": 100 * size.used / (size.used + size.free),
            "inodes_total": inodes.f_files,
            "inodes_free": inodes.f_ffree,
            "inodes_used": inodes.f_files - inodes.f_ffree,
        },
    )


def _network() -> list[Point]:
    """Every interface that is up but the loopback; all are counts since the machine booted."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup and "loopback" not in state.flags}
    return [
        Point(
            "net",
            {"interface": name},
            {
                "bytes_sent": seen.bytes_sent,
                "bytes_recv": seen.bytes_recv,
                "packets_sent": seen.packets_sent,
                "packets_recv": seen.packets_recv,
                "err_in": seen.errin,
                "err_out": seen.errout,
                "drop_in": seen.dropin,
                "drop_out": seen.dropout,
            },
        )
        for name, seen in psutil.net_io_counters(pernic=True).items()
        if name in up
    ]


def _system() -> Point:
    loads = dict(zip(("load1", "load5", "load15"), os.getloadavg(), strict=True))
    counts = {"n_cpus": psutil.cpu_count() or 0, "n_users": len(psutil.users())}
    return Point("system", {}, loads | counts | {"uptime": int(time.time() - psutil.boot_time())})
