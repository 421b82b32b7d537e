"""cloud-init's data source for EC2, told that it is on EC2: it looks for that in hardware tables no container has.

Otherwise it would not ask for the token that IMDSv2 wants. Found through `datasource_pkg_list`, see cloud.cfg.
"""

# mypy: ignore-errors
# It runs with Debian's Python and cloud-init, which are in the machine image and not here.

from cloudinit import sources
from cloudinit.sources import DataSourceEc2 as ec2  # noqa: N813  a module


class DataSourceEc2(ec2.DataSourceEc2):
    cloud_name = ec2.CloudNames.AWS


def get_datasource_list(depends):
    return sources.list_from_depends(depends, [(DataSourceEc2, (sources.DEP_FILESYSTEM, sources.DEP_NETWORK))])
