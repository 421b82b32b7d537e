"""The metrics-attach and metrics-detach flows: a stack's machines write their metrics, or do so no more."""

from prefect import flow

from tasks.applying import apply_stack
from tasks.model import Changes, StackName
from tasks.monitoring.stacks import attachment_blueprint, check_attachable, find_attached_to, find_metrics, find_network
from tasks.monitoring.users import create_user, delete_user, users_of
from tasks.run_list import tag_run
from tasks.stacks import delete_stack


@flow(name="metrics-attach", flow_run_name="attach {stack} to metrics {metrics}", on_running=[tag_run])
def attach_metrics(stack: StackName, metrics: StackName) -> Changes:
    """Let the stack's machines reach the metrics stack, and give them credentials of their own.

    The machines look for these by themselves: those that run begin to write, and to send their logs, within seconds.

    Args:
        stack: the stack
        metrics: the metrics stack, in the same network
    """
    check_attachable(stack, find_network(stack), metrics)
    changes = apply_stack(attachment_blueprint(stack, metrics))
    for user in users_of(stack, metrics, find_metrics(metrics).outputs.get("Loki", "")):
        changes += create_user(metrics, user)
    return changes


@flow(name="metrics-detach", flow_run_name="detach {stack} from its metrics", on_running=[tag_run])
def detach_metrics(stack: StackName) -> Changes:
    """Take the stack's credentials and its way to the metrics stack back; what it wrote stays there.

    Args:
        stack: the stack; nothing is done for one that is attached to none
    """
    metrics = find_attached_to(stack)
    if not metrics:
        return ()
    changes: Changes = ()
    for user in users_of(stack, metrics):
        changes += delete_user(metrics, user)
    return changes + delete_stack(attachment_blueprint(stack, metrics).name)
