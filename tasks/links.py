"""Where to look at a stack: its balancers, its metrics, and, on AWS, the console's pages of what it is made of."""

from __future__ import annotations

from urllib.parse import quote

from prefect.artifacts import create_markdown_artifact

from tasks.amis import find_without
from tasks.artifact_keys import What, artifact_key
from tasks.clients import ec2
from tasks.groups import find_groups
from tasks.model import Noun
from tasks.monitoring.stacks import GRAFANA_PORT, PORT, find_attached_to
from tasks.stacks import find_stack, find_tagged
from tasks.steps import step


class Link(Noun):
    """A page and what it shows."""

    to: str
    url: str


def find_links(stack: str) -> tuple[Link, ...]:
    """All there are. On the embedded cloud nothing has a page in the console."""
    return (*_balancers(stack), *_metrics(stack), *_console(stack))


def _balancers(stack: str) -> tuple[Link, ...]:
    bases = find_tagged({"tyrell:stack": stack, "tyrell:kind": "base"})
    outputs = {"PublicUrl": "public load balancer", "InternalUrl": "internal load balancer"}
    return tuple(
        Link(to=name, url=base.outputs[output])
        for base in bases
        for output, name in outputs.items()
        if output in base.outputs
    )


def _metrics(stack: str) -> tuple[Link, ...]:
    attached = find_attached_to(stack)
    metrics = find_stack(attached) if attached else None
    if metrics is None or "Host" not in metrics.outputs:
        return ()
    host = metrics.outputs["Host"]
    influxdb = Link(to=f"InfluxDB of metrics stack {metrics.name}", url=f"http://{host}:{PORT}")
    if "grafana" in find_without(metrics.parameters["Image"]):
        return (influxdb,)
    return (Link(to=f"Grafana of metrics stack {metrics.name}", url=f"http://{host}:{GRAFANA_PORT}"), influxdb)


def _console(stack: str) -> tuple[Link, ...]:
    region = ec2().meta.region_name
    if not ec2().meta.endpoint_url.endswith(".amazonaws.com"):
        return ()
    console = f"https://{region}.console.aws.amazon.com"
    formations = [
        Link(
            to=f"CloudFormation stack {found.name}",
            url=f"{console}/cloudformation/home?region={region}#/stacks/stackinfo?stackId={quote(found.id, safe='')}",
        )
        for found in find_tagged({"tyrell:stack": stack})
    ]
    groups = [
        Link(
            to=f"Auto Scaling group {group.name}",
            url=f"{console}/ec2/home?region={region}#AutoScalingGroupDetails:id={quote(group.name, safe='')}",
        )
        for group in find_groups(stack)
    ]
    return (*formations, *groups)


@step("links of {stack}", system="artifacts")
def publish_links(stack: str) -> None:
    """The links as a markdown artifact of the run."""
    lines = [f"- [{link.to}]({link.url})" for link in find_links(stack)]
    create_markdown_artifact("\n".join(lines), key=artifact_key(What.LINKS, stack), description=f"Where {stack} is")
