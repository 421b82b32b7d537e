"""Which pages there are, and what they all begin with."""

from __future__ import annotations

from pathlib import Path

from docs.generate.commands import commands_page
from docs.generate.environment import environment_page
from docs.generate.exit_codes import exit_codes_page
from docs.generate.flows import flows_page
from docs.generate.role_file import role_file_page

FOLDER = Path(__file__).resolve().parents[1] / "reference"
NOTE = "<!-- Made of the code by `make reference`; change it there. -->\n\n"


def pages() -> dict[str, str]:
    """The text of every page, by the name of its file."""
    made = {
        "commands.md": commands_page(),
        "environment.md": environment_page(),
        "exit-codes.md": exit_codes_page(),
        "flows.md": flows_page(),
        "role-file.md": role_file_page(),
    }
    return {name: NOTE + text for name, text in made.items()}
