"""Images in registries: Amazon ECR, or any other. Credentials are named, never given."""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any, cast

from botocore.exceptions import ClientError
from docker import DockerClient
from docker.errors import APIError
from prefect.blocks.system import Secret

from tasks import clients
from tasks.docker_engine import engine
from tasks.errors import NotFound, TyrellError, UsageError
from tasks.images import Image
from tasks.steps import step

logger = logging.getLogger(__name__)

_ECR = re.compile(r"\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
_REFUSALS = ("unauthorized", "denied", "no basic auth credentials")


@step("push image of {image.role} to {registry}", system="docker")
def push_image(image: Image, registry: str, version: str = "", credentials: str = "") -> tuple[str, ...]:
    """Push an image as `<registry>/link-<role>`, by its digest's first twelve digits and `version`; both references.

    Args:
        image: an image of this machine's engine
        registry: host, port and path; a private registry of ECR gets the repository when it does not have it
        version: a second tag
        credentials: the name of a Prefect `Secret` block that holds `username` and `password`; without it, ECR asks
            AWS and every other registry is logged in to as `docker login` left it

    Raises TyrellError when the registry refuses.
    """
    repository = f"{registry}/link-{image.role}"
    login = _login(registry, credentials)
    if _ECR.match(registry):
        _create_ecr_repository(repository.partition("/")[2])
    tags = [tag for tag in (_short(image), version) if tag]
    with engine() as client:
        return tuple(_push(client, image, repository, tag, login) for tag in tags)


def _short(image: Image) -> str:
    return (image.inputs or image.id.removeprefix("sha256:"))[:12]


def _push(client: DockerClient, image: Image, repository: str, tag: str, login: dict[str, str] | None) -> str:
    reference = f"{repository}:{tag}"
    client.images.get(image.id).tag(repository, tag)
    try:
        problem = _follow(client.api.push(repository, tag, stream=True, decode=True, auth_config=login))
    except APIError as error:
        problem = str(error.explanation)
    if any(word in problem.lower() for word in _REFUSALS):
        host = repository.partition("/")[0]
        raise TyrellError(
            f"registry {host} refused {reference} ({problem}); log in with `docker login {host}`, or name a Prefect"
            " Secret block in --credentials"
        )
    if problem:
        raise TyrellError(f"{reference} cannot be pushed: {problem}")
    return reference


def _follow(messages: Iterable[dict[str, Any]]) -> str:
    """Log what the engine says, and return what went wrong."""
    for message in messages:
        if "error" in message:
            return str(message["error"])
        if "status" in message and not message.get("progressDetail"):
            logger.info("%s", " ".join(filter(None, (message.get("id"), message["status"]))))
    return ""


def _login(registry: str, credentials: str) -> dict[str, str] | None:
    """Name and password for the engine; None when it should use the Docker config's own entry."""
    if credentials:
        try:
            value = cast("Secret[Any]", Secret.load(credentials)).get()
        except ValueError:
            raise NotFound(f"Prefect Secret block {credentials}", "make it in the Prefect UI, under Blocks") from None
        if not isinstance(value, dict) or value.keys() != {"username", "password"}:
            raise UsageError(f"Prefect Secret block {credentials} must hold `username` and `password`, as JSON")
        return {name: str(text) for name, text in value.items()}
    return ecr_login() if _ECR.match(registry) else None


def ecr_login() -> dict[str, str]:
    """Name and password for the private registries of the region; good for 12 hours.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
    """
    token = clients.ecr().get_authorization_token()["authorizationData"][0]["authorizationToken"]
    name, _, password = b64decode(token).decode().partition(":")
    return {"username": name, "password": password}


def _create_ecr_repository(name: str) -> None:
    try:
        clients.ecr().create_repository(repositoryName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "RepositoryAlreadyExistsException":
            raise
