"""Faults of the AWS API as boto3 meets them, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.local.faults.conftest import FaultyCloud
from tests.waiting import eventually
from tyrell.local.aws import client
from tyrell.local.faults.remote import clear_faults

READS: dict[str, Callable[[Any], Any]] = {
    "ec2": lambda ec2: ec2.describe_vpcs(),
    "autoscaling": lambda autoscaling: autoscaling.describe_auto_scaling_groups(),
    "elbv2": lambda elbv2: elbv2.describe_load_balancers(),
    "cloudformation": lambda cloudformation: cloudformation.list_exports(),
    "cloudwatch": lambda cloudwatch: cloudwatch.list_metrics(),
    "iam": lambda iam: iam.list_roles(),
    "sts": lambda sts: sts.get_caller_identity(),
    "ssm": lambda ssm: ssm.describe_parameters(),
    "sqs": lambda sqs: sqs.list_queues(),
    "s3": lambda s3: s3.list_buckets(),
    "route53": lambda route53: route53.list_hosted_zones(),
}
THROTTLED = {"ec2": "RequestLimitExceeded", "ssm": "ThrottlingException", "sqs": "RequestThrottled", "s3": "SlowDown"}
DENIED = {"ec2": "UnauthorizedOperation", "ssm": "AccessDeniedException"}


def code_of(call: Callable[[], Any]) -> str:
    """The code of the error that the call is answered with."""
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize("service", READS)
def test_every_service_refuses_in_its_own_words_and_only_while_the_fault_is_on(
    cloud: FaultyCloud, service: str
) -> None:
    def read() -> Any:
        return READS[service](cloud.client(service))

    for kind, codes, usual in (("throttling", THROTTLED, "Throttling"), ("access-denied", DENIED, "AccessDenied")):
        given = cloud.give(kind, call=f"{service}.*")
        assert code_of(read) == codes.get(service, usual)
        clear_faults(cloud.settings, given.id)
    cloud.give("server-error", call=f"{service}.*")
    with pytest.raises(ClientError) as failed:
        read()
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    clear_faults(cloud.settings)
    assert read()


@pytest.mark.parametrize("service", READS)
def test_boto3_takes_throttling_for_what_it_is_and_tries_again(cloud: FaultyCloud, service: str) -> None:
    given = cloud.give("throttling", call=f"{service}.*", nth=1)
    assert READS[service](cloud.client(service, attempts=2))
    assert len(cloud.struck(given)) == 1


def test_only_the_call_that_is_meant_goes_wrong_and_the_cloud_itself_never(cloud: FaultyCloud) -> None:
    ec2 = cloud.client("ec2")
    given = cloud.give("access-denied", call="ec2.Describe*", nth=2)
    assert ec2.describe_subnets()
    ec2.create_key_pair(KeyName="not-counted")
    assert client(cloud.settings, "ec2").describe_vpcs()
    assert code_of(ec2.describe_vpcs) == "UnauthorizedOperation"
    assert ec2.describe_vpcs()
    assert cloud.struck(given) == ("ec2.DescribeVpcs",)


def test_a_share_of_the_calls_goes_wrong_and_the_same_ones_with_the_same_seed(cloud: FaultyCloud) -> None:
    def run(seed: int) -> list[bool]:
        given = cloud.give("throttling", call="sts.*", share=0.3, seed=seed)
        answered = []
        for _ in range(60):
            try:
                answered.append(bool(cloud.client("sts").get_caller_identity()))
            except ClientError:
                answered.append(False)
        clear_faults(cloud.settings, given.id)
        return answered

    first = run(seed=7)
    assert 8 <= first.count(False) <= 28
    assert run(seed=7) == first
    assert run(seed=8) != first


def test_latency_is_added_to_the_calls_it_names(cloud: FaultyCloud) -> None:
    cloud.give("latency", call="sts.GetCallerIdentity", seconds=0.4)
    start = time.monotonic()
    cloud.client("sts").get_caller_identity()
    assert time.monotonic() - start >= 0.4


def test_a_call_whose_answer_is_lost_has_taken_effect(cloud: FaultyCloud) -> None:
    cloud.give("lost-answer", call="ec2.CreateVpc")
    before = len(cloud.client("ec2").describe_vpcs()["Vpcs"])
    with pytest.raises(ConnectionClosedError):
        cloud.client("ec2").create_vpc(CidrBlock="127.50.0.0/16")
    assert len(cloud.client("ec2").describe_vpcs()["Vpcs"]) == before + 1


@pytest.mark.parametrize(("kind", "made"), [("stalled-request", 0), ("stalled-answer", 1)])
def test_a_call_stands_still_before_or_after_it_takes_effect(cloud: FaultyCloud, kind: str, made: int) -> None:
    ec2 = cloud.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    given = cloud.give(kind, call="ec2.CreateVpc", nth=1)
    with ThreadPoolExecutor() as pool:
        call = pool.submit(ec2.create_vpc, CidrBlock="127.51.0.0/16")
        eventually("the call to be struck", lambda: cloud.struck(given))
        eventually("its effect", lambda: len(ec2.describe_vpcs()["Vpcs"]) == before + made)
        assert not call.done()
        clear_faults(cloud.settings)
        with pytest.raises(ConnectionClosedError):
            call.result(5)
    assert len(ec2.describe_vpcs()["Vpcs"]) == before + made


def test_what_was_just_created_is_found_neither_by_its_name_nor_in_lists_until_later(cloud: FaultyCloud) -> None:
    ec2 = cloud.client("ec2")
    cloud.give("not-found", call="ec2.CreateVpc", seconds=1)
    made = ec2.create_vpc(CidrBlock="127.52.0.0/16")["Vpc"]["VpcId"]
    assert code_of(lambda: ec2.describe_vpcs(VpcIds=[made])) == "InvalidVpcID.NotFound"
    listed = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
    assert listed
    assert made not in listed
    eventually("it to be found", lambda: made in {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]})
    assert ec2.describe_vpcs(VpcIds=[made])["Vpcs"]


def test_there_is_no_capacity_for_anybody_not_even_for_the_cloud_itself(cloud: FaultyCloud) -> None:
    cloud.give("no-capacity", call="ec2.RunInstances")
    for ec2 in (cloud.client("ec2"), client(cloud.settings, "ec2")):
        run = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1}
        assert code_of(lambda ec2=ec2, run=run: ec2.run_instances(**run)) == "InsufficientInstanceCapacity"  # type: ignore[misc]
