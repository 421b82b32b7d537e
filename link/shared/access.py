"""The way into a database of InfluxDB, and to Loki beside it, as Secrets Manager keeps it for a stack."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from link.shared.environment import Environment, SettingError

PATIENCE = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
NOT_THERE = {"ResourceNotFoundException", "InvalidRequestException"}
"""What AWS calls a secret that does not exist, and one that is about to be deleted."""


class SecretUnusable(SettingError):
    """The secret can not be read, or holds something else; the text is one sentence, without anything of it."""


class SecretMissing(SecretUnusable):
    """There is no such secret."""


@dataclass(frozen=True)
class Access:
    """A database, and the user we are there."""

    url: str
    database: str
    username: str
    password: str = field(repr=False)
    loki: str = ""
    """Where logs go; empty when that metrics stack has no Loki."""


class Secret:
    """The secret `tyrell/STACK/NAME`: JSON with url, database, username, password and perhaps loki."""

    def __init__(self, environment: Environment, name: str) -> None:
        self.name = f"tyrell/{environment.text('ZETTA_STACK')}/{name}"
        self._region = environment.text("AWS_REGION", "us-east-1")

    def read(self) -> Access:
        """Ask Secrets Manager, as the machine. Raises `SecretMissing` or `SecretUnusable`."""
        client = boto3.client("secretsmanager", region_name=self._region, config=PATIENCE)
        try:
            text = client.get_secret_value(SecretId=self.name)["SecretString"]
            return _access(json.loads(text))
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_THERE:
                raise SecretMissing(f"there is no secret {self.name}") from None
            raise SecretUnusable(f"secret {self.name} can not be read: {error}") from None
        except BotoCoreError as error:
            raise SecretUnusable(f"secret {self.name} can not be read: {error}") from None
        except (ValueError, KeyError, TypeError):  # its text goes into no error
            needed = "JSON with url, database, username and password"
            raise SecretUnusable(f"secret {self.name} does not hold what it should: {needed}") from None


def _access(found: dict[str, str]) -> Access:
    """Raises ValueError, KeyError or TypeError for what is no access."""
    access = Access(_url(found["url"]), found["database"], found["username"], found["password"])
    return replace(access, loki=_url(found["loki"])) if "loki" in found else access


def _url(text: str) -> str:
    """Without a slash at its end. Raises ValueError for what is no URL of a server."""
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.port == 0:
        raise ValueError(url)
    return text.rstrip("/")
