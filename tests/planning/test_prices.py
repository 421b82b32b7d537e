"""Run rates come from the price table, and what it does not have is named."""

from __future__ import annotations

import pytest

from tasks.planning.prices import RegionPrices, costs_of, load_prices, run_rate
from tasks.planning.telling import cost_line
from tasks.planning.templates import ADDRESS, BALANCER, DISK, NAT, items_of, resources_of
from tasks.roles import all_role_names, load_role
from tests.planning.plans import draft, plan

PRICES = RegionPrices(hour={"t3.small": 0.02}, month={DISK: 0.073})
TEMPLATE = """
Resources:
  Public: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Scheme: internet-facing, Subnets: !Ref All}}
  Internal: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Scheme: internal}}
  Address: {Type: AWS::EC2::EIP}
  Nat: {Type: AWS::EC2::NatGateway, Properties: {AllocationId: !GetAtt Address.AllocationId}}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${Stack}-queue"}}
"""


def test_a_run_rate_is_by_the_hour_also_of_what_is_paid_by_the_month() -> None:
    rate = run_rate({"t3.small": 3, DISK: 100}, PRICES)
    assert rate.usd_per_hour == pytest.approx(0.07)
    assert not rate.unpriced


def test_what_has_no_price_is_named_and_not_guessed() -> None:
    rate = run_rate({"t3.small": 1, "x9.huge": 4}, PRICES)
    assert (rate.usd_per_hour, rate.unpriced) == (0.02, ("x9.huge",))


def test_a_region_that_is_not_in_the_table_has_no_prices() -> None:
    somewhere = plan().model_copy(update={"costs": costs_of(draft(), "mars-north-1")})
    assert cost_line(somewhere).endswith("no price is known in mars-north-1 of t3.small")


def test_a_template_says_what_of_it_is_paid_for() -> None:
    assert items_of(TEMPLATE) == {BALANCER: 2, ADDRESS: 5, NAT: 1}
    assert len(resources_of(TEMPLATE)) == 5


@pytest.mark.parametrize("region", load_prices().regions)
def test_the_table_has_a_price_for_everything_that_stacks_are_made_of(region: str) -> None:
    types = {load_role(name).instance_type: 1.0 for name in all_role_names()}
    assert run_rate(types | {DISK: 1, BALANCER: 1, NAT: 1, ADDRESS: 1}, load_prices().regions[region]).unpriced == ()
