"""The credentials of an instance profile, as the instance metadata service gives them out."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tyrell.local.aws import client
from tyrell.local.settings import Settings


def role_credentials(settings: Settings, profile: str, instance_id: str) -> str:
    """Temporary credentials of the profile's role for an hour, as JSON; the role's session is named after the instance.

    Raises botocore's ClientError when the profile is gone, IndexError when it has no role.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
    """
    found = client(settings, "iam").get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]
    session = client(settings, "sts").assume_role(RoleArn=found["Roles"][0]["Arn"], RoleSessionName=instance_id)
    given = session["Credentials"]
    return json.dumps(
        {
            "Code": "Success",
            "LastUpdated": _timestamp(datetime.now(UTC)),
            "Type": "AWS-HMAC",
            "AccessKeyId": given["AccessKeyId"],
            "SecretAccessKey": given["SecretAccessKey"],
            "Token": given["SessionToken"],
            "Expiration": _timestamp(given["Expiration"]),
        },
        indent=2,
    )


def _timestamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
