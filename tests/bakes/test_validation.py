"""The last script of a bake finds what is wrong with the image, and then there is no image."""

from __future__ import annotations

import os

import pytest

from tasks.bake_places import find_place
from tasks.bake_plans import find_plan
from tasks.bakes import bake
from tasks.errors import TyrellError
from tests.bakes.bakery import Bakery, await_nothing_left

pytestmark = [pytest.mark.docker, pytest.mark.cloud]


@pytest.mark.usefixtures("led_there")
def test_a_unit_whose_program_is_missing_fails_the_bake(cloud: Bakery) -> None:
    before = cloud.builds()
    plan = find_plan.fn("link", cloud.images)
    units = plan.contents.units | {"etc/systemd/system/lost.service": "[Service]\nExecStart=/opt/link/bin/lost\n"}
    lost = plan.model_copy(
        update={
            "contents": plan.contents.model_copy(update={"units": units}),
            "inputs": plan.inputs | {"units": f"a test's, process {os.getpid()}"},
        }
    )
    with pytest.raises(TyrellError, match=r"invalid image: unit lost\.service: .*/opt/link/bin/lost is not executable"):
        bake.fn(lost, find_place())
    assert cloud.builds() == before
    await_nothing_left(cloud)
