"""The status flow: a stack at one moment, as an artifact."""

from prefect import flow

from tasks.links import publish_links
from tasks.model import Overview, StackName
from tasks.overview import publish_overview, tell_unhealthy
from tasks.run_list import tag_run


@flow(name="status", flow_run_name="status of {stack}", on_running=[tag_run])
def status(stack: StackName) -> Overview:
    """Every version of the stack, its health, its share of traffic and what is wrong with it; and where to look at it.

    A version at work that is not healthy is told as an event.

    Args:
        stack: the stack's name
    """
    overview = publish_overview(stack)
    publish_links(stack)
    tell_unhealthy(overview)
    return overview
