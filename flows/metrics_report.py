"""The metrics report flow: every dashboard of a stack as a picture, without Grafana."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect import flow

from tasks.model import StackName
from tasks.monitoring.dashboards import Window
from tasks.monitoring.reports import draw_report, publish_report, save_report
from tasks.run_list import tag_run
from tasks.spelling import Duration


@flow(name="metrics-report", flow_run_name="metrics of {stack}", on_running=[tag_run])
def metrics_report(
    stack: StackName, since: Duration = timedelta(hours=24), file: Path | None = None
) -> tuple[Path, ...]:
    """Draw what Grafana would show of the stack, and keep it as artifacts of the run. Returns the files it wrote.

    Args:
        stack: the stack; it must be attached to a metrics stack
        since: how far back the pictures begin
        file: where to write them too: FILE.png makes FILE-routers.png and so on
    """
    now = datetime.now(UTC)
    pictures = draw_report(stack, Window(now - since, now))
    publish_report(stack, pictures)
    return save_report(file, pictures) if file else ()
