"""The engine's own life, and what it does when the rest of the cloud fails."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from moto.autoscaling.responses import AutoScalingResponse
from moto.autoscaling.urls import url_paths

from tests.local.autoscaling.cloud import Cloud
from tyrell.local.autoscaling.api import AutoScalingApi
from tyrell.local.autoscaling.engine import AutoScaling
from tyrell.local.autoscaling.world import World
from tyrell.local.settings import Settings


def test_stopping_gives_moto_its_api_back(tmp_path: Path) -> None:
    engine = AutoScaling(Settings(home=tmp_path))
    before = url_paths["{0}/$"]
    engine.install()
    engine.install()
    assert url_paths["{0}/$"] != before
    engine.stop()
    engine.stop()
    assert url_paths["{0}/$"] == before


def test_an_engine_without_groups_asks_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = AutoScaling(Settings(home=tmp_path, port=9))  # nobody listens there
    engine.start()
    engine.start()
    engine.wake()
    engine.stop()
    assert caplog.records == []


def test_an_instance_that_ec2_has_forgotten_hides_no_other(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=1)
    (instance_id,) = cloud.await_in_service(name, 1)
    forgotten = "i-00000000000000000"
    assert World(cloud.settings).states([forgotten, instance_id]) == {instance_id: "running"}
    assert World(cloud.settings).states([forgotten]) == {}


def test_moto_has_no_operation_that_would_answer_in_our_place() -> None:
    ours = AutoScalingApi.offered()
    assert not issubclass(AutoScalingApi, AutoScalingResponse)
    assert {"CreateAutoScalingGroup", "CompleteLifecycleAction", "DescribeScalingActivities"} <= ours
    assert "CreateLaunchConfiguration" not in ours


def test_a_group_in_trouble_is_logged_once_and_leaves_the_others_alone(
    cloud: Cloud, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    arn, other = cloud.target_group(), f"{name}-b"
    cloud.create(name, TargetGroupARNs=[arn])
    cloud.elbv2.delete_target_group(TargetGroupArn=arn)
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=1)
    cloud.await_in_service(name, 1)
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=2)
    cloud.await_in_service(name, 2)
    cloud.create(other, low=1)
    cloud.await_in_service(other, 1)
    told = [record for record in caplog.records if name in record.getMessage() and record.levelno == logging.ERROR]
    assert len(told) == 1
    assert "TargetGroupNotFound" in told[0].getMessage()
    cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=other, ForceDelete=True)
