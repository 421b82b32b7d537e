"""A console keeps the end of what was said."""

from __future__ import annotations

from pathlib import Path

from tyrell.local.machines.console import ANSWERED_BYTES, KEPT_BYTES, Console, read_tail


def test_a_console_is_bounded_and_keeps_the_end(tmp_path: Path) -> None:
    console = Console(tmp_path / "console.log")

    for number in range(2000):
        console.write("x.service", f"{number} " + "y" * 1000)

    kept = (tmp_path / "console.log").read_text().splitlines()
    assert KEPT_BYTES / 2 <= (tmp_path / "console.log").stat().st_size <= KEPT_BYTES
    assert " x.service: 1999 " in kept[-1]
    numbers = [int(line.split()[2]) for line in kept]
    assert numbers == list(range(numbers[0], 2000))


def test_the_tail_begins_with_a_whole_line(tmp_path: Path) -> None:
    file = tmp_path / "console.log"
    file.write_text("".join(f"line {number}\n" for number in range(20_000)))

    tail = read_tail(file).decode().splitlines()

    assert tail[0].startswith("line ")
    assert tail[-1] == "line 19999"
    assert ANSWERED_BYTES - 100 < sum(len(line) + 1 for line in tail) <= ANSWERED_BYTES


def test_a_console_that_never_was_is_empty(tmp_path: Path) -> None:
    assert read_tail(tmp_path / "console.log") == b""
