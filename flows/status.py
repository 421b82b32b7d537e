"""The status flow: a stack at one moment, as an artifact."""

from prefect import flow

from tasks.model import Overview, StackName
from tasks.overview import publish_overview
from tasks.run_list import tag_run


@flow(name="status", flow_run_name="status of {stack}", on_running=[tag_run])
def status(stack: StackName) -> Overview:
    """Every version of the stack, its health, its share of traffic and what is wrong with it.

    Args:
        stack: the stack's name
    """
    return publish_overview(stack)
