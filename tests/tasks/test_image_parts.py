"""What an image is made of, part by part: modules, packages, base images."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.dockerfiles import base_images, copied_names, named_modules
from tasks.errors import NotFound
from tasks.link_modules import find_program
from tasks.requirements import locked_requirements

LOCK = """
[[package]]
name = "web"
version = "2.0"
dependencies = [{ name = "loop" }, { name = "old", marker = "python_full_version < '3.13'" }]
wheels = [{ hash = "sha256:bb" }, { hash = "sha256:cc" }]

[[package]]
name = "loop"
version = "1.1"
dependencies = [{ name = "web" }]
wheels = [{ hash = "sha256:dd" }]

[[package]]
name = "old"
version = "0.9"
wheels = [{ hash = "sha256:ee" }]

[[package]]
name = "twice"
version = "1"

[[package]]
name = "twice"
version = "2"
"""


def written(root: Path, files: dict[str, str]) -> Path:
    """`root`, with these files in it."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_program_is_what_its_module_imports_wherever_it_does(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        {
            "link/__init__.py": "",
            "link/front.py": "import json\nfrom link.parts import lazy\nfrom link.parts.near import WORD\n",
            "link/parts/__init__.py": "import some_package\n",
            "link/parts/near.py": "from . import beside\nWORD = 1\n",
            "link/parts/beside.py": "",
            "link/parts/lazy.py": "def later():\n    import link.late\n    from other.part import thing\n",
            "link/late.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import link.unused, stubs\n",
            "link/unused.py": "",
        },
    )
    program = find_program(["link.front"], root)
    names = ("__init__", "front", "late", "parts/__init__", "parts/beside", "parts/lazy", "parts/near")
    assert program.files == tuple(f"link/{name}.py" for name in names)
    assert program.packages == ("other", "some-package")


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"module link\.gone does not exist; there is no link/gone\.py"):
        find_program(["link.front"], written(tmp_path, {"link/__init__.py": "", "link/front.py": "import link.gone"}))


def test_requirements_are_pinned_with_all_they_need_and_their_hashes(tmp_path: Path) -> None:
    lock = written(tmp_path, {"uv.lock": LOCK}) / "uv.lock"
    assert locked_requirements(["web"], lock) == (
        "loop==1.1 \\\n    --hash=sha256:dd\n"
        "old==0.9 ; (python_full_version < '3.13') \\\n    --hash=sha256:ee\n"
        "web==2.0 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    )


def test_what_somebody_needs_without_a_condition_has_none(tmp_path: Path) -> None:
    lock = written(tmp_path, {"uv.lock": LOCK}) / "uv.lock"
    assert "old==0.9 \\\n" in locked_requirements(["web", "old"], lock)


@pytest.mark.parametrize("name", ["missing", "twice"])
def test_a_package_without_one_locked_version_is_named(tmp_path: Path, name: str) -> None:
    lock = written(tmp_path, {"uv.lock": LOCK}) / "uv.lock"
    with pytest.raises(NotFound, match=f"one version of package {name} in uv.lock does not exist"):
        locked_requirements([name], lock)


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM debian:12", {"debian:12"}),
        ("# FROM old\nfrom --platform=linux/amd64 debian:12 as base\nFROM base\nFROM scratch", {"debian:12"}),
        ("ARG BASE=debian:12\nFROM ${BASE} AS one\nFROM one", {"debian:12"}),
        ('ARG NAME="debian" TAG=13\nFROM $NAME:$TAG\nFROM \\\n  node:22', {"debian:13", "node:22"}),
        ("ARG GIVEN=debian:12\nFROM $GIVEN", {"alpine:3"}),
        ("FROM debian:12\nARG LATER=x\nRUN echo FROM y", {"debian:12"}),
    ],
)
def test_base_images_are_read_from_a_dockerfile(text: str, images: set[str]) -> None:
    assert set(base_images(text, {"GIVEN": "alpine:3"})) == images


def test_the_programs_of_an_image_are_the_modules_its_dockerfile_names() -> None:
    text = 'ENTRYPOINT ["python3", "-m", "link.front"]\nRUN python3 -m link.parts.near\nCOPY link /opt/link/lib/link\n'
    assert named_modules(text) == ("link.front", "link.parts.near")


def test_what_a_dockerfile_copies_is_read_without_earlier_stages() -> None:
    text = "FROM a AS b\nCOPY one.toml two.lock ./\nFROM a\nCOPY --from=b /x /x\nCOPY --chown=900 three three\n"
    assert copied_names(text) == ("one.toml", "three", "two.lock")
