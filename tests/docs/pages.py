"""The pages of the documentation: their blocks, the commands in them, and what they say these print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

PROMPT = "$ "
ANYTHING = "..."

VARYING = {
    r"\b(?=[a-f0-9]*\d)[0-9a-f]{8}\b": "RELEASE",
    r"\b(i|ami)-[0-9a-f]{17}\b": r"\1-ID",
    r"\b\d+\.\d s\b": "SECONDS",
    r"\b\d{4}-\d\d-\d\d\b": "DATE",
    r"\b\d\d:\d\d(:\d\d)?\b": "TIME",
    r"[━─]+": "─",
    r"[ \t]+": " ",
}
"""What differs from run to run, or with the width of the terminal, and how it is read on either side."""


def all_pages() -> list[Path]:
    """Every page that people read, the README first."""
    more = (ROOT / "roles" / "README.md", ROOT / "tyrell" / "local" / "README.md")
    return [ROOT / "README.md", *more, *sorted(DOCS.rglob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the word after it, and its lines."""

    language: str
    mark: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    """A command, and the output that the page shows below it."""

    command: str
    shown: tuple[str, ...]

    def is_printed(self, output: str) -> bool:
        """Whether that is what the page shows; `...` stands for anything, alone on a line for any lines."""
        patterns = [_pattern(line.strip()) for line in map(as_read, self.shown)]
        seen = "".join(f"{line.strip()}\n" for line in as_read(output).rstrip().splitlines())
        return re.fullmatch("".join(patterns), seen) is not None


def _pattern(line: str) -> str:
    if line == ANYTHING:
        return r"(.*\n)*?"
    return re.sub(r"(\\ )?\\\.\\\.\\\.(\\ )?", ".*", re.escape(line)) + r"\n"


def as_read(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern, instead in VARYING.items():
        text = re.sub(pattern, instead, text)
    return text


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for info, body in re.findall(r"^```([^\n]*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        language, _, mark = info.partition(" ")
        yield Block(language, mark, tuple(body.splitlines()))


def examples(block: Block) -> Iterator[Example]:
    """The commands of a block; one goes on below a line that ends with a backslash."""
    for part in re.split(r"^\$ ", "\n".join(block.lines), flags=re.MULTILINE)[1:]:
        command, *rest = part.rstrip("\n").split("\n")
        while command.endswith("\\"):
            command = f"{command}\n{rest.pop(0)}"
        yield Example(command, tuple(rest))
