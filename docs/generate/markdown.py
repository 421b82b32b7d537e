"""Markdown of headings and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, or nothing without rows."""
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(headings) + " |", "| " + " | ".join("---" for _ in headings) + " |", *lines])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def page(*parts: str) -> str:
    """The parts that are not empty, a blank line between them."""
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def code(text: object) -> str:
    """As code; nothing for an empty text."""
    return f"`{text}`" if str(text) else ""
