"""The bake key of a machine image: which change of its contents changes which input, and who may still be baking."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tasks.bake_holds import lives
from tasks.bake_plans import Plan
from tasks.errors import NotFound, UsageError
from tasks.images import Image
from tasks.locks import me
from tasks.machine_images import Contents, content_digests, find_images, find_roles, template_digests
from tasks.packer import LONGEST

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROLES = ("core-services", "router", "target", "tenant-mgmt-api")


def image(role: str, digit: str = "1") -> Image:
    """A role's Docker image."""
    return Image(role=role, reference=f"link-{role}:{digit}", id="sha256:" + digit * 64, size=1)


IMAGES = {role: image(role) for role in ROLES}


def changed(images: Mapping[str, Image | None]) -> set[str]:
    """The names of the inputs that are not as with `IMAGES`."""
    before, after = content_digests(IMAGES), content_digests(images)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_a_rebuilt_docker_image_changes_its_own_input_only() -> None:
    assert changed({**IMAGES, "router": image("router", "2")}) == {"image:router"}


def test_a_docker_image_that_is_still_to_be_built_has_an_empty_digest() -> None:
    digests = content_digests({**IMAGES, "router": None})
    assert [name for name, value in digests.items() if not value] == ["image:router"]


def test_a_role_that_leaves_takes_its_image_its_units_and_its_programs_along() -> None:
    others = {role: image(role) for role in ROLES[1:]}
    assert changed(others) == {"image:core-services", "programs", "units"}


METRICS = {name: image(name) for name in ("metrics", "grafana", "loki")}


def test_a_service_whose_own_image_is_left_out_takes_its_unit_its_program_and_its_files_along() -> None:
    before, after = content_digests(METRICS), content_digests({"metrics": METRICS["metrics"]})
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {"image:grafana", "image:loki", "programs", "shared", "units"}


@pytest.mark.parametrize(
    ("given", "without", "sentence"),
    [
        (
            {"loki": "x"},
            ["loki"],
            "role 'loki' on machine images of kind metrics does not exist; there are metrics, gr",
        ),
        ({}, ["influxdb"], "service 'influxdb' that .* metrics can be without does not exist; there are grafana, loki"),
    ],
)
def test_only_what_has_an_image_of_its_own_can_be_left_out(
    given: dict[str, str], without: list[str], sentence: str
) -> None:
    with pytest.raises(NotFound, match=sentence):
        find_images("metrics", given, without)


def test_an_image_is_tagged_with_what_it_was_baked_without() -> None:
    without = plan().contents.model_copy(update={"without": ("grafana", "loki")})
    assert plan().model_copy(update={"contents": without}).tags["tyrell:without"] == "grafana loki"
    assert "tyrell:without" not in plan().tags


def test_the_order_of_roles_does_not_matter() -> None:
    assert changed({role: image(role) for role in reversed(ROLES)}) == set()


def test_all_that_lies_in_the_packer_folder_is_among_the_inputs() -> None:
    assert set(template_digests()) == {"template", "scripts", "files"}


def plan(**inputs: str) -> Plan:
    """A plan of these inputs."""
    contents = Contents(kind="link", images=tuple(IMAGES.values()), units={}, programs={}, shared={})
    return Plan(contents=contents, base="ami-1", packer="1.6.6", commit="c0ffee", inputs=inputs)


def test_the_name_of_an_image_follows_from_its_inputs_alone() -> None:
    one, same, other = plan(base="1", units="2"), plan(units="2", base="1"), plan(base="2", units="1")
    assert one.name == same.name == f"tyrell-link-{one.key[:8]}"
    assert one.name != other.name


def test_the_tags_of_an_image_say_what_it_is_made_of() -> None:
    tags = plan(base="0123456789abcdef").tags
    assert tags["tyrell:input:base"] == "0123456789ab"
    assert tags["tyrell:image:router"] == "link-router:1"
    assert (tags["tyrell:base"], tags["tyrell:commit"]) == ("ami-1", "c0ffee")


def test_a_kind_without_roles_cannot_be_baked() -> None:
    with pytest.raises(UsageError, match=r'no role is on machine images of kind worker; .* machine_image = "worker"'):
        find_roles("worker")


def test_a_kind_there_is_not_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="machine image kind 'wroker' does not exist; there are link, worker, metrics"):
        find_roles("wroker")


def holder(name: str, process: int, age: timedelta) -> dict[str, str]:
    """The tags of somebody who began to bake that long ago."""
    return {"tyrell:holder": name, "tyrell:process": str(process), "tyrell:since": (NOW - age).isoformat()}


def test_a_holder_lives_as_long_as_its_process_on_this_machine() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        assert lives(holder(me(), process.pid, timedelta(minutes=1)), NOW)
        process.kill()
        process.wait()
        assert not lives(holder(me(), process.pid, timedelta(minutes=1)), NOW)


def test_a_holder_elsewhere_lives_as_long_as_a_bake_may_last() -> None:
    assert lives(holder("ann@ci", 1, LONGEST - timedelta(seconds=1)), NOW)
    assert not lives(holder("ann@ci", 1, LONGEST + timedelta(seconds=1)), NOW)
    assert not lives(holder(me(), os.getpid(), LONGEST + timedelta(seconds=1)), NOW)
