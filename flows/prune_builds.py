"""The prune-builds flow: machine images that nobody needs go, with their snapshots."""

from prefect import flow

from tasks.build_retention import find_prunable
from tasks.builds import delete_build, delete_snapshot, find_orphans
from tasks.model import Changes
from tasks.overview import publish_changes


@flow(name="prune-builds", flow_run_name="prune machine images")
def prune_builds() -> Changes:
    """Delete every machine image that no version is made of and that is not the newest of its kind."""
    changes: Changes = ()
    for build in find_prunable():
        changes += delete_build(build)
    for snapshot in find_orphans():
        changes += delete_snapshot(snapshot)
    publish_changes("machine-images", changes)
    return changes
