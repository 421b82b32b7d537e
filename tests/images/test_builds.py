"""Building with a real Docker Engine: once for the same inputs, with labels and tags, from wherever one likes."""

from __future__ import annotations

import logging
import re
import subprocess
import sys

import pytest
from docker import DockerClient

from tasks.images import build_image, find_image, use_image
from tasks.recipes import find_recipe
from tests.images.conftest import BASE, Folder
from tests.images.servers import git_server
from tests.tasks.repositories import commit, git
from tests.waiting import eventually

pytestmark = pytest.mark.docker


def test_an_image_of_the_same_inputs_is_not_built_again(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    context = folder.write("RUN echo made > /made")
    with caplog.at_level(logging.INFO, "tasks"):
        first = build_image.fn("router", context)
        again = build_image.fn("router", context)
    assert (first.outcome, again.outcome) == ("built", "unchanged")
    assert first.image == again.image
    assert any(re.fullmatch(r"router: Step 3/\d : RUN echo made > /made", line) for line in caplog.messages)
    assert caplog.messages[-1] == f"nothing to build: {first.image.reference} has the same inputs"


def test_an_image_says_what_it_is_and_where_it_comes_from(folder: Folder, engine: DockerClient) -> None:
    context = folder.write()
    commit(folder.path)
    git(folder.path, "remote", "add", "origin", "https://example.com/link.git")
    built = build_image.fn("router", context, version="v7").image

    image = engine.images.get("link-router:v7")
    assert str(image.id) == built.id
    assert built.reference == f"link-router:{built.inputs[:12]}"
    created = image.labels.pop("org.opencontainers.image.created")
    assert created.startswith("20")
    assert {
        "org.opencontainers.image.source": "https://example.com/link.git",
        "org.opencontainers.image.revision": git(folder.path, "rev-parse", "HEAD"),
        "org.opencontainers.image.version": "v7",
        "tyrell:role": "router",
        "tyrell:inputs": built.inputs,
    }.items() <= image.labels.items()


def test_an_unchanged_image_gets_the_tag_of_another_version_too(folder: Folder, engine: DockerClient) -> None:
    context = folder.write()
    first = build_image.fn("router", context, version="v1")
    second = build_image.fn("router", context, version="v2")
    assert second.outcome == "unchanged"
    assert {f"link-router:{tag}" for tag in ("v1", "v2")} < set(engine.images.get(first.image.id).tags)


def test_an_image_of_the_same_name_from_other_inputs_is_not_taken(folder: Folder, engine: DockerClient) -> None:
    recipe = find_recipe("router", folder.write())
    repository, tag = recipe.reference.split(":")
    engine.images.get(BASE).tag(repository, tag)
    try:
        assert find_image(recipe) is None
    finally:
        engine.images.remove(recipe.reference)


def test_build_arguments_reach_the_build(folder: Folder, engine: DockerClient) -> None:
    context = folder.write("ARG WORD", "RUN echo $WORD > /word")
    built = [build_image.fn("router", context, {"WORD": word}).image for word in ("one", "two")]
    words = [engine.containers.run(image.id, "cat /word", remove=True) for image in built]
    assert words == [b"one\n", b"two\n"]


def test_the_way_to_the_network_is_no_input_and_not_in_the_image(
    folder: Folder, engine: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = folder.write("ARG PIP_INDEX_URL", "RUN test $HTTPS_PROXY = http://proxy.invalid")
    digest = find_recipe("router", context).inputs
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    built = build_image.fn("router", context).image
    assert built.inputs == digest
    assert "proxy.invalid" not in str(engine.images.get(built.id).attrs["Config"])


def test_a_git_url_is_built_at_its_commit(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder.write("COPY Dockerfile /copied")
    commit(folder.path)
    with git_server(folder.path, tmp_path_factory.mktemp("git")) as url:
        first = build_image.fn("router", f"{url}#main")
        assert build_image.fn("router", url).image == first.image
        git(folder.path, "commit", "--quiet", "--allow-empty", "--message=second")
        assert build_image.fn("router", url).image.inputs != first.image.inputs


def test_a_ready_made_image_is_used_as_it_is(engine: DockerClient) -> None:
    used = use_image.fn("target", BASE)
    assert (used.outcome, used.image.reference, used.image.inputs) == ("given", BASE, "")
    assert used.image.id == str(engine.images.get(BASE).id)


def test_a_killed_build_leaves_no_image_and_can_be_run_again(folder: Folder) -> None:
    context = folder.write("RUN sleep 3")
    code = "import sys; from tasks.images import build_image; build_image.fn('router', sys.argv[1])"
    with subprocess.Popen([sys.executable, "-c", code, context]) as build:
        try:
            eventually("the build's last step to run", folder.containers, 30)
        finally:
            build.kill()
    eventually("the engine to give the build up", lambda: not folder.containers(), 30)
    assert find_image(find_recipe("router", context)) is None
    assert build_image.fn("router", context).outcome == "built"
