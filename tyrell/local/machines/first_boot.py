"""User data, carried out once in a machine's life: files first, then a script or commands."""

from __future__ import annotations

import asyncio
import shlex
import signal
from collections.abc import Sequence

from tyrell.local.machines.cloud_init import CloudInitError, UserData, WriteFile
from tyrell.local.machines.supervisor import Supervisor
from tyrell.local.machines.system import System

SOURCE = "cloud-init"
COMMAND_DEADLINE_SECONDS = 300
STOP_SECONDS = 5
SCRIPT_PATH = "/var/lib/cloud/instance/scripts/part-001"


def write_files(system: System, files: Sequence[WriteFile]) -> None:
    """Write or append each file below the machine's root folder; missing folders are made."""
    for file in files:
        path = system.path(file.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():  # a Link of the image: replace it, not the host's file
            path.unlink()
        with path.open("ab" if file.append else "wb") as stream:
            stream.write(file.content)
        path.chmod(file.mode)
        system.console.write(SOURCE, f"wrote {file.path}")


async def run_commands(system: System, supervisor: Supervisor, user_data: UserData) -> None:
    """Run the script or the commands in order. If one fails, that is reported and the next one runs, as in cloud-init.

    Raises CloudInitError for what only a real init system could do, UnitError for a unit that cannot be used.
    """
    if user_data.script is not None:
        _refuse_systemctl(user_data.script)
        write_files(system, [WriteFile(SCRIPT_PATH, user_data.script.encode(), 0o700, append=False)])
        await _execute(system, [SCRIPT_PATH])
    for command in user_data.commands:
        words = shlex.split(command) if isinstance(command, str) and command.startswith("systemctl ") else command
        if isinstance(words, list) and words[0] == "systemctl":
            await _systemctl(system, supervisor, words[1:])
        elif isinstance(words, list):
            await _execute(system, words)
        else:
            _refuse_systemctl(words)
            await _execute(system, ["/bin/sh", "-c", _with_mapped_program(system, words)])


async def _systemctl(system: System, supervisor: Supervisor, words: Sequence[str]) -> None:
    """`start x`, `enable [--now] x` and `daemon-reload` (which has nothing to do: unit files are read when started)."""
    verb, names = words[0] if words else "", [_unit_name(word) for word in words[1:] if word != "--now"]
    now = verb == "start" or (verb == "enable" and "--now" in words)
    if verb == "daemon-reload" and not names:
        return
    if verb not in {"start", "enable"} or not names or any(name.startswith("-") for name in names):
        raise CloudInitError(f"'systemctl {' '.join(words)}' is not supported; start, enable --now, daemon-reload are")
    if verb == "enable":
        supervisor.enable(names)
    if now and not await supervisor.start(names):
        system.console.write(SOURCE, f"systemctl {' '.join(words)}: not every unit came up")


async def _execute(system: System, words: Sequence[str]) -> None:
    try:
        process = system.spawn(words, SOURCE)
    except OSError as problem:
        system.console.write(SOURCE, str(problem))
        return
    try:
        async with asyncio.timeout(COMMAND_DEADLINE_SECONDS):
            status = await process.wait()
    except TimeoutError:
        raise CloudInitError(f"{shlex.join(words)} was not done within {COMMAND_DEADLINE_SECONDS} s") from None
    finally:
        await process.stop(signal.SIGTERM, STOP_SECONDS)
    if status:
        system.console.write(SOURCE, f"{shlex.join(words)}: exit status {status}")


def _with_mapped_program(system: System, line: str) -> str:
    """A shell line whose first word is a program of the machine, by absolute path, starts that program."""
    program, space, arguments = line.partition(" ")
    in_root = system.path(program)
    return f"{in_root}{space}{arguments}" if program.startswith("/") and in_root.exists() else line


def _refuse_systemctl(shell_text: str) -> None:
    """A shell would find the host's own systemctl."""
    if "systemctl" in shell_text:
        raise CloudInitError("systemctl inside a shell script is not supported; make it a runcmd entry of its own")


def _unit_name(word: str) -> str:
    return word if word.endswith(".service") or word.startswith("-") else f"{word}.service"
