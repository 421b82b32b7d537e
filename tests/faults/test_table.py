"""The page of the fault matrix tells what was run and what was not."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.faults.table import Cell, as_page
from tests.faults.troubles import Trouble, Write

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
SHIFT = Write("upgrade router", "elbv2.ModifyRule", 1)


def cell(trouble: Trouble, *problems: str) -> Cell:
    """A cell of one row."""
    return Cell(write=SHIFT, trouble=trouble, problems=problems, at=AT, seconds=90)


def test_a_row_has_a_mark_for_every_trouble() -> None:
    page = as_page([cell(Trouble.killed_before), cell(Trouble.denied, "locks: [] became ['router']")])
    assert (
        "1 writes, 1 of 2 cells end well, 9 more of these rows are not run."
        " 2026-01-02 03:04 to 2026-01-02 03:04 UTC, 3 min of commands." in page
    )
    (row,) = [line for line in page.splitlines() if line.startswith("| upgrade")]
    assert row.endswith("| ok |" + " not run |" * 5 + " – | **fails** |" + " not run |" * 4 + " – |" * 3)
    assert "`add_at_zero`, `remove_from_rule`, `shift_weights`" in row
    assert "- upgrade router, elbv2.ModifyRule 1, access denied: locks: [] became ['router']" in page


def test_steps_without_a_row_are_named() -> None:
    page = as_page([cell(Trouble.killed_before)])
    (commands, without, elsewhere) = page.splitlines()[-3:]
    assert "roll router back" in commands
    assert "upgrade router" not in commands
    assert "`apply_stack`" in without
    assert "`shift_weights`" not in without
    assert "`switch_pointer`" in elsewhere
