"""Which files of `link/` a program is made of, and which packages it needs: read from its imports, never listed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from importlib.util import resolve_name
from pathlib import Path

from tasks.errors import NotFound
from tasks.model import Noun
from tasks.roles import FOLDER

ROOT = FOLDER.parent
OURS = "link"


class Program(Noun):
    """What has to lie on a machine for some modules to run."""

    files: tuple[str, ...]
    """Paths below the root, sorted."""
    packages: tuple[str, ...]
    """Names on PyPI (normalised as in PEP 503) of what is imported directly, sorted."""


def find_program(modules: Iterable[str], root: Path = ROOT) -> Program:
    """Everything that `modules` (such as `link.router`) import, directly or not; also inside functions.

    What stands under `if TYPE_CHECKING:` is left out. A package of PyPI is taken to be called like its module.
    Raises NotFound for a module of `link` that is not there.
    """
    waiting = list(modules)
    files: dict[str, Path] = {}
    packages: set[str] = set()
    while waiting:
        module = waiting.pop()
        top = module.split(".")[0]
        if module in files or top in sys.stdlib_module_names:
            continue
        if top != OURS:
            packages.add(top.replace("_", "-").lower())
            continue
        files[module] = _file(module, root)
        waiting += _imported(files[module], module, root)
        if "." in module:  # the package it lies in
            waiting.append(module.rpartition(".")[0])
    shown = sorted(path.relative_to(root).as_posix() for path in files.values())
    return Program(files=tuple(shown), packages=tuple(sorted(packages)))


def _file(module: str, root: Path) -> Path:
    found = _find_file(module, root)
    if found is None:
        raise NotFound(f"module {module}", f"there is no {module.replace('.', '/')}.py below {root}")
    return found


def _find_file(module: str, root: Path) -> Path | None:
    place = root.joinpath(*module.split("."))
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _imported(file: Path, module: str, root: Path) -> Iterator[str]:
    """The names of the modules that a file imports."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in _running(ast.parse(file.read_text(), file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            yield source
            inside = (f"{source}.{alias.name}" for alias in node.names)
            yield from (name for name in inside if name.startswith(f"{OURS}.") and _find_file(name, root))


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, without what is there for type checkers only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from _running(child)
