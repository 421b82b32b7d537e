"""What the patches of moto rely on: these fail when a new moto changes under them."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import moto.cloudwatch.urls
import moto.elb.urls
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer, FakeTargetGroup
from moto.elbv2.responses import ELBV2Response

from tyrell.local.balancers.api import LoadBalancingApi
from tyrell.local.balancers.metrics.api import CloudWatchApi
from tyrell.local.balancers.patches import patch_moto
from tyrell.local.settings import ACCOUNT

TARGET = {"Id": "127.35.9.9", "Port": 81}


def served_class() -> type:
    """The class that answers ELBv2 calls now."""
    served: type = vars(moto.elb.urls)["ELBV2Response"]
    return served


def served_cloudwatch() -> type:
    """The class that answers CloudWatch calls on moto's only path for them."""
    dispatches: list[Any] = list(moto.cloudwatch.urls.url_paths.values())
    [served] = [dispatch.__self__ for dispatch in dispatches]
    assert isinstance(served, type)
    return served


def test_moto_is_the_version_that_the_patches_were_written_for() -> None:
    assert version("moto") == "5.2.5"


def test_the_url_of_both_load_balancing_apis_looks_the_class_up_by_name_at_each_call() -> None:
    assert "ELBV2Response" in moto.elb.urls.api_version_elb_backend.__code__.co_names
    assert issubclass(served_class(), ELBV2Response)


def test_moto_activates_a_load_balancer_that_is_looked_at_and_shows_its_state_through_a_property() -> None:
    assert "balancer.activate()" in inspect.getsource(ELBv2Backend.describe_load_balancers)
    assert isinstance(vars(FakeLoadBalancer)["load_balancer_state"], property)


def test_moto_tells_target_groups_about_terminated_instances() -> None:
    assert "deregister_terminated_instances" in inspect.getsource(ELBv2Backend.notify_terminate_instances)


def test_a_deregistered_target_stays_on_record_until_it_is_forgotten() -> None:
    group = ELBv2Backend("us-east-1", ACCOUNT).create_target_group(
        "contract", protocol="HTTP", port="80", target_type="lambda-like", vpc_id=None
    )
    group.register([TARGET])
    assert group.targets == {"127.35.9.9": TARGET}
    with patch_moto(LoadBalancingApi, CloudWatchApi):
        group.deregister([{"Id": "127.35.9.9"}, {"Id": "never registered"}])
        group.deregister_terminated_instances(["i-of-another-group"])
    assert (group.targets, group.deregistered_targets) == ({}, {"127.35.9.9": TARGET})


def test_the_patches_can_be_taken_back() -> None:
    before = [served_class(), served_cloudwatch(), FakeLoadBalancer.activate, FakeTargetGroup.deregister]
    with patch_moto(LoadBalancingApi, CloudWatchApi):
        assert served_class() is LoadBalancingApi
        assert served_cloudwatch() is CloudWatchApi
    assert [served_class(), served_cloudwatch(), FakeLoadBalancer.activate, FakeTargetGroup.deregister] == before
