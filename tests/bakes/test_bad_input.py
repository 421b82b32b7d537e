"""What cannot be baked is one sentence, and nothing is left running."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bakes.bakery import Bakery, await_nothing_left

pytestmark = [pytest.mark.docker, pytest.mark.cloud]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("--kind wroker", 2, "machine image kind 'wroker' does not exist; there are link, worker, metrics"),
        ("--kind worker", 2, "no role is on machine images of kind worker; a role says so in its role.toml"),
        ("--image ruoter=x", 2, "role 'ruoter' on machine images of kind link does not exist; there are core-services"),
        ("--image router", 2, "--image router cannot be read: write it as ROLE=REF"),
        ("--base ami-0123456789abcdef0", 2, "base machine image ami-0123456789abcdef0 does not exist; leave out"),
        ("--network nowhere", 2, "network nowhere does not exist; `tyrell network NAME` makes one"),
        ("--ssh-from anywhere", 2, "--ssh-from anywhere cannot be used: write one IPv4 address"),
    ],
)
def test_what_cannot_be_is_one_sentence(cloud: Bakery, words: str, code: int, sentence: str) -> None:
    done = cloud.tyrell.run(*cloud.command(), *words.split())
    assert done.returncode == code, done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"tyrell: {sentence}")
    await_nothing_left(cloud)


def refused_with(cloud: Bakery, **environment: str) -> str:
    """The last line of a bake that must fail, in another environment."""
    usual = dict(cloud.tyrell.environment_variables)
    cloud.tyrell.environment_variables.update(environment)
    try:
        done = cloud.tyrell.run(*cloud.command())
    finally:
        cloud.tyrell.environment_variables.clear()
        cloud.tyrell.environment_variables.update(usual)
    assert done.returncode == 1, done.stderr
    return done.stderr.splitlines()[-1]


def test_without_packer_the_sentence_says_where_to_get_it(cloud: Bakery, tmp_path: Path) -> None:
    sentence = refused_with(cloud, PATH=str(tmp_path))
    assert sentence.startswith("tyrell: Packer is missing; install it with `apt-get install packer`")


def test_a_packer_that_is_too_old_is_refused(cloud: Bakery, tmp_path: Path) -> None:
    packer = tmp_path / "packer"
    packer.write_text("#!/bin/sh\necho 1795382499,,version,1.5.6\n")
    packer.chmod(0o755)
    assert refused_with(cloud, PATH=f"{tmp_path}:/usr/bin:/bin").startswith("tyrell: Packer 1.5.6 is too old, 1.6.6 is")


def test_without_an_engine_the_sentence_says_how_to_start_one(cloud: Bakery, tmp_path: Path) -> None:
    sentence = refused_with(cloud, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert "start it with `systemctl start docker`" in sentence
