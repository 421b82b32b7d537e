"""The embedded cloud's own door to its AWS API: the engines act through the same calls a user makes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config

from tyrell.local.settings import Settings

ACCESS_KEY = "the-cloud-itself"
"""By which the cloud's own calls are told from those of its customers."""


@lru_cache(maxsize=64)
def client(settings: Settings, service: str) -> Any:
    """A boto3 client of `service` at the cloud's own endpoint. Thread-safe, one per service.

    No retries: a failure inside one machine is a fact to report, not weather.
    """
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=settings.endpoint,
        region_name=settings.region,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,  # moto accepts any
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32, proxies={}),
    )
