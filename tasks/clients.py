"""The only doors to AWS and HTTP. Endpoint, region and credentials come from the environment, as in every AWS tool."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from tasks.crowd import Pace
from tasks.errors import Transient
from tasks.in_flight import LastWord

if TYPE_CHECKING:
    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_route53 import Route53Client
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient
    from types_boto3_sts import STSClient

_THROTTLED = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"}
_making = threading.Lock()

ATTEMPTS = 10
"""Of one call. When three of ten are throttled, some of a bring-up's hundreds are five times in a row.

The mode is `standard`, with one quota of retries per service. `adaptive` also holds back calls that nobody throttles:
it gets ever slower where the share of throttled calls does not depend on their rate.
"""


@lru_cache(maxsize=16)
def _client(service: str, read_timeout: float = 30, connections: int = 32) -> Any:
    """One for all threads, so that they share one quota of retries.

    https://docs.aws.amazon.com/boto3/latest/guide/retries.html#standard-retry-mode
    """
    # boto3 may not make two clients at once: the default session is not thread-safe.
    with _making:
        config = Config(
            connect_timeout=5,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=connections,
        )
        client = boto3.client(service, config=config)  # type: ignore[call-overload]
        client.meta.events.register("before-send", Pace().take_turn)
        client.meta.events.register_last("before-send", LastWord(client._endpoint.http_session.send).finish)
        return client


_forgetting: list[Callable[[], object]] = []


def on_forget(clear: Callable[[], object]) -> None:
    """Also call `clear` when the cloud that was talked to is to be forgotten."""
    _forgetting.append(clear)


def forget() -> None:
    """Make new clients from the environment as it is now; nothing that was remembered of another cloud is used."""
    _client.cache_clear()
    for clear in _forgetting:
        clear()


def cloudformation() -> CloudFormationClient:
    """CloudFormation."""
    return _client("cloudformation")  # type: ignore[no-any-return]


def autoscaling() -> AutoScalingClient:
    """Auto Scaling."""
    return _client("autoscaling")  # type: ignore[no-any-return]


def cloudwatch() -> CloudWatchClient:
    """CloudWatch."""
    return _client("cloudwatch")  # type: ignore[no-any-return]


def ec2() -> EC2Client:
    """EC2."""
    return _client("ec2")  # type: ignore[no-any-return]


def ecr() -> Any:
    """The Elastic Container Registry."""
    return _client("ecr")


def secretsmanager() -> SecretsManagerClient:
    """Secrets Manager."""
    return _client("secretsmanager")  # type: ignore[no-any-return]


def sqs() -> SQSClient:
    """SQS."""
    return _client("sqs")  # type: ignore[no-any-return]


def ssm() -> SSMClient:
    """Systems Manager."""
    return _client("ssm")  # type: ignore[no-any-return]


def s3() -> S3Client:
    """S3. It answers a copy of many GiB only after minutes; and many are made at once."""
    return _client("s3", read_timeout=600, connections=128)  # type: ignore[no-any-return]


def route53() -> Route53Client:
    """Route 53."""
    return _client("route53")  # type: ignore[no-any-return]


def sts() -> STSClient:
    """The Security Token Service: who we are."""
    return _client("sts")  # type: ignore[no-any-return]


def elbv2() -> ElasticLoadBalancingv2Client:
    """Elastic Load Balancing v2."""
    return _client("elbv2")  # type: ignore[no-any-return]


def is_transient(error: BaseException) -> bool:
    """Whether the same call may well work when it is made again: our own Transient, throttling, a broken connection."""
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        return error.response["Error"]["Code"] in _THROTTLED or status >= 500
    return isinstance(error, Transient | HTTPClientError | httpx.TransportError)


def http_status(url: str, timeout: float = 2.0) -> str:
    """What `GET url` answers, for people: `200`, `503`, or why there was no answer (`connection refused`)."""
    try:
        return str(httpx.get(url, timeout=timeout, trust_env=False).status_code)
    except httpx.TimeoutException:
        return f"no answer within {timeout:g} s"
    except httpx.TransportError as error:
        return str(error) or type(error).__name__


def http_client() -> httpx.Client:
    """For many requests to one machine; nothing of the environment leads it elsewhere."""
    return httpx.Client(timeout=5, trust_env=False, verify=False)  # noqa: S501  plain HTTP only: loading TLS is slow


def http_timed(client: httpx.Client, url: str, status: int, headers: dict[str, str]) -> tuple[str, float]:
    """What is wrong with the answer to `GET url`, for people (empty when it has that status), and its seconds."""
    try:
        answer = client.get(url, headers=headers)
    except httpx.TimeoutException:
        return f"no answer within {client.timeout.read:g} s", 0.0
    except httpx.TransportError as error:
        return str(error) or type(error).__name__, 0.0
    wrong = "" if answer.status_code == status else f"status {answer.status_code}, not {status}"
    return wrong, answer.elapsed.total_seconds()


def http_text(url: str, timeout: float = 5.0) -> str:
    """The body that `GET url` answers. Raises httpx.HTTPError."""
    return httpx.get(url, timeout=timeout, trust_env=False).raise_for_status().text


def http_json(url: str, timeout: float = 2.0) -> Any:
    """The JSON body that `GET url` answers. Raises httpx.HTTPError, or ValueError when it is not JSON."""
    return httpx.get(url, timeout=timeout, trust_env=False).raise_for_status().json()
