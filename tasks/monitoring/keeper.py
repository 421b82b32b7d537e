"""The metrics keeper, over HTTP: backups of InfluxDB into the bucket, and restores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from tasks.clients import http_client, s3
from tasks.errors import KeeperFailed, NotFound, Transient
from tasks.influxdb import InfluxAccess
from tasks.model import Changes, Patience
from tasks.monitoring.stacks import KEEPER_PORT
from tasks.monitoring.storage import backup_bucket
from tasks.monitoring.users import find_admin
from tasks.steps import step
from tasks.waits import NotYet, wait_until

PATIENCE = Patience(timeout=timedelta(hours=2), every=timedelta(seconds=0.25))
PREFIX = "influxdb/"


def find_backups(metrics: str) -> tuple[str, ...]:
    """The keys of all backups, the newest last."""
    pages = s3().get_paginator("list_objects_v2").paginate(Bucket=backup_bucket(metrics), Prefix=PREFIX)
    return tuple(sorted(each["Key"] for page in pages for each in page.get("Contents", [])))


def find_backup(metrics: str, key: str = "") -> str:
    """That backup, or the newest one. Raises NotFound naming some that there are."""
    there = find_backups(metrics)
    if key in there or (there and not key):
        return key or there[-1]
    raise NotFound(
        f"backup {key or 'of ' + metrics}", f"there are: {', '.join(there[-3:]) or 'none; `tyrell metrics backup`'}"
    )


@step("back up {metrics}", system="influxdb")
def back_up(metrics: str, host: str) -> Changes:
    """Have the keeper put a backup into the bucket; waits for it, and first for another one that is under way.

    Raises KeeperFailed with the keeper's own reason.
    """
    return (f"wrote backup {_have_done(metrics, host, 'backups')}",)


@step("restore {metrics} from {key}", system="influxdb")
def restore(metrics: str, host: str, key: str) -> Changes:
    """Have the keeper make the databases what they are in the backup. Raises KeeperFailed; then nothing was changed."""
    return (f"restored {_have_done(metrics, host, 'restores', key=key) or 'no database'} from {key}",)


def _have_done(metrics: str, host: str, what: str, **said: str) -> str:
    keeper, admin = f"http://{host}:{KEEPER_PORT}", find_admin(metrics)

    def begin() -> bool | NotYet:
        answer = _ask(admin, "POST", f"{keeper}/{what}", said)
        return True if answer.status_code == httpx.codes.ACCEPTED else NotYet(f"{answer.json()['what']} is under way")

    def look() -> str | NotYet:
        told: dict[str, Any] = _ask(admin, "GET", f"{keeper}/work").json()
        if told["state"] == "failed":
            raise KeeperFailed(metrics, told["what"], told["problem"])
        if told["state"] == "none":
            raise KeeperFailed(metrics, what, "the keeper was started anew meanwhile; run it again")
        return str(told["result"]) if told["state"] == "done" else NotYet(f"{told['what']} is {told['state']}")

    wait_until(f"the keeper of {metrics} to be free", begin, PATIENCE)
    return wait_until(f"the keeper of {metrics} to be done", look, PATIENCE)


def _ask(admin: InfluxAccess, method: str, url: str, said: dict[str, str] | None = None) -> httpx.Response:
    auth = (admin.username, admin.password.get_secret_value())
    with http_client() as client:
        answer = client.request(method, url, auth=auth, json=said or None)
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Transient(f"the keeper at {url} answers {answer.status_code}; is its machine up?")
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise KeeperFailed(url, "request", f"it was refused: {answer.text}")
    return answer
