"""Auto Scaling: the one machine of a metrics stack."""

from __future__ import annotations

import logging

import httpx

from tasks.clients import autoscaling, http_status
from tasks.model import Changes
from tasks.roles import load_role
from tasks.steps import step
from tasks.waits import NotYet, wait_until

logger = logging.getLogger(__name__)


@step("machine of {group} is up to date", system="autoscaling")
def replace_outdated(group: str) -> Changes:
    """Have the group launch its machine anew when it is of an older launch template; the data lie beside it."""
    described = autoscaling().describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"][0]
    wanted = described["LaunchTemplate"]["Version"]
    replaced = []
    for machine in described["Instances"]:
        if machine["LaunchTemplate"]["Version"] != wanted and machine["LifecycleState"] == "InService":
            autoscaling().terminate_instance_in_auto_scaling_group(
                InstanceId=machine["InstanceId"], ShouldDecrementDesiredCapacity=False
            )
            replaced.append(machine["InstanceId"])
    return tuple(f"replaced machine {each}, it was of an older image" for each in replaced)


@step("InfluxDB at {host} answers", system="influxdb")
def await_influxdb(host: str, group: str, port: int) -> None:
    """Until InfluxDB answers through the load balancer, from a machine of the group as it is to be."""

    def look() -> bool | NotYet:
        described = autoscaling().describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"][0]
        wanted = described["LaunchTemplate"]["Version"]
        for machine in described["Instances"]:
            if machine["LaunchTemplate"]["Version"] != wanted or machine["LifecycleState"] != "InService":
                return NotYet(f"machine {machine['InstanceId']} is {machine['LifecycleState']}")
        if not described["Instances"]:
            return NotYet("no machine has been launched yet")
        answer = http_status(f"http://{host}:{port}/ping")
        return answer == str(httpx.codes.NO_CONTENT.value) or NotYet(f"its ping says {answer}")

    wait_until(f"InfluxDB of {group}", look, load_role("metrics").patience)
