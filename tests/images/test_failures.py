"""A build that cannot work says why in one sentence and leaves nothing behind."""

from __future__ import annotations

import pytest

from tasks.errors import NotFound, TyrellError
from tasks.images import build_image, use_image
from tests.images.conftest import BASE, Folder

pytestmark = pytest.mark.docker


def test_a_step_that_fails_is_named_with_its_last_lines_and_nothing_is_left(folder: Folder) -> None:
    context = folder.write("RUN echo fine > /fine", "RUN echo no compiler; exit 3")
    with pytest.raises(TyrellError) as failed:
        build_image.fn("router", context)
    assert str(failed.value).startswith("the image of router cannot be built, step 4/")
    assert str(failed.value).endswith("returned a non-zero code: 3; it said: no compiler")
    assert (folder.images(), folder.containers()) == ([], [])


def test_a_failed_build_takes_nothing_from_a_good_one(folder: Folder) -> None:
    good = build_image.fn("router", folder.write("RUN echo fine > /fine")).image
    with pytest.raises(TyrellError):
        build_image.fn("router", folder.write("RUN echo fine > /fine", "RUN exit 3"))
    assert build_image.fn("router", folder.write("RUN echo fine > /fine")).image == good


def test_a_dockerfile_that_cannot_be_read_is_quoted(folder: Folder) -> None:
    with pytest.raises(TyrellError, match=r"image of router cannot be built: .* unknown instruction: RUNN$"):
        build_image.fn("router", folder.write("RUNN true"))


def test_a_base_image_that_cannot_be_had_is_named(folder: Folder) -> None:
    (folder.path / "Dockerfile").write_text("FROM registry.invalid/base:1\n")
    with pytest.raises(NotFound, match=r"base image of router registry\.invalid/base:1 does not exist; the engine has"):
        build_image.fn("router", str(folder.path))


def test_a_ready_made_image_that_cannot_be_had_is_named() -> None:
    with pytest.raises(NotFound, match=r"image for router registry\.invalid/link:1 does not exist; .* cannot pull it"):
        use_image.fn("router", "registry.invalid/link:1")


def test_without_an_engine_one_is_told_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(TyrellError) as failed:
        use_image.fn("router", BASE)
    assert str(failed.value) == (
        "no Docker Engine answers at unix:///nonexistent/docker.sock (no such file or directory); start it with"
        " `systemctl start docker`, or name another one in DOCKER_HOST"
    )
