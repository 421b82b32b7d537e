"""What Auto Scaling says of its own work: what keeps a group from its size, and why machines were replaced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

from tasks.clients import autoscaling
from tasks.crowd import shared
from tasks.model import Group
from tasks.waits import is_one_of_many

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import ActivityTypeDef

RECENT = timedelta(hours=1)
"""What many waits read of all groups; a version that does not start is given up earlier."""
_MOST = 100
"""In a page. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeScalingActivities.html"""
_REPLACED = "taken out of service"
"""In the cause of an activity. https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html"""


def find_troubles(group: Group) -> tuple[str, ...]:
    """Why the group has not the machines it wants, in Auto Scaling's own words; the newest activity says it best."""
    if len(group.in_service) >= group.desired:
        return ()
    activities = _activities(group)[:10]
    failed = next((each for each in activities if each["StatusCode"] == "Failed"), None)
    if failed and failed is activities[0]:
        return (failed.get("StatusMessage") or failed["Cause"],)
    replaced = next((each["Cause"] for each in activities if _REPLACED in each["Cause"]), "")
    waiting = [f"{machine.id} is {machine.lifecycle}" for machine in group.machines if machine not in group.in_service]
    return tuple(each for each in (*waiting, replaced) if each) or ("no machine has been launched yet",)


def find_deaths(group: Group, since: datetime) -> tuple[str, ...]:
    """Why Auto Scaling has replaced machines of the group since then, in its own words, the newest first."""
    activities = _activities(group)
    return tuple(each["Cause"] for each in activities if each["StartTime"] >= since and _REPLACED in each["Cause"])


def _activities(group: Group) -> Sequence[ActivityTypeDef]:
    """The newest first, a hundred at most."""
    if is_one_of_many():
        return [each for each in _all_activities() if each["AutoScalingGroupName"] == group.name][:_MOST]
    described = autoscaling().describe_scaling_activities(AutoScalingGroupName=group.name, MaxRecords=_MOST)
    return described["Activities"]


@shared
def _all_activities() -> tuple[ActivityTypeDef, ...]:
    """Those of all groups that are recent: one question for all waits."""
    pages = autoscaling().get_paginator("describe_scaling_activities").paginate(PaginationConfig={"PageSize": _MOST})
    oldest = datetime.now(UTC) - RECENT
    newest_first = (activity for page in pages for activity in page["Activities"])
    return tuple(takewhile(lambda activity: activity["StartTime"] >= oldest, newest_first))
