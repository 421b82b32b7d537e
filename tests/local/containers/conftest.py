"""One cloud of containers for all tests of this package; each test removes its instances or leaves them to the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.containers.cloud import Cloud, cloud_of_containers


@pytest.fixture(scope="package")
def cloud() -> Iterator[Cloud]:
    with cloud_of_containers("10.77.0.0/16") as cloud:
        yield cloud


@pytest.fixture(scope="package")
def instance(cloud: Cloud) -> str:
    """An instance for tests that change nothing of it that others look at."""
    profile = cloud.aws("iam")
    profile.create_role(RoleName="worker", AssumeRolePolicyDocument="{}")
    profile.create_instance_profile(InstanceProfileName="worker-profile")
    profile.add_role_to_instance_profile(InstanceProfileName="worker-profile", RoleName="worker")
    user_data = "#!/bin/sh\nenv > /root/environment-of-user-data\n"
    return cloud.ready(cloud.debian, user_data, IamInstanceProfile={"Name": "worker-profile"})
