"""InfluxDB and Secrets Manager: who may do what with the data of a metrics stack. Each user's password is a secret.

    tyrell/<metrics>/admin    everything: Tyrell itself
    tyrell/<metrics>/reader   reads: Grafana, reports
    tyrell/<metrics>/grafana  Grafana's own administrator
    tyrell/<stack>/metrics    writes metrics: the machines of one Link stack
    tyrell/<stack>/usage      reads usage: the usage API of one Link stack

A password is made once, and kept as a secret before InfluxDB hears of it: a run that is killed between the two goes on
with the same. So a volume that was lost gets the users back that everybody has the passwords of.
"""

from __future__ import annotations

import secrets
from typing import Literal

from pydantic import SecretStr

from tasks.errors import InfluxDenied, InfluxUnreachable, NotFound, UsageError
from tasks.influxdb import InfluxAccess, query
from tasks.model import Changes, Noun
from tasks.monitoring.databases import METRICS, USAGE
from tasks.secrets import delete_secret, find_secret, put_secret
from tasks.steps import step

ADMIN = "admin"
PASSWORD_BYTES = 24

Privilege = Literal["READ", "WRITE"]


class User(Noun):
    """A user of InfluxDB, and the secret that says how to be him."""

    name: str
    secret: str
    grants: dict[str, Privilege]
    """What he may do with each database."""
    facts: dict[str, str]
    """What the secret says beside url, name and password."""


def admin_secret(metrics: str) -> str:
    """The name of the administrator's secret."""
    return f"tyrell/{metrics}/admin"


def writer_secret(stack: str) -> str:
    """The name of the secret with which a Link stack writes, which also says to which metrics stack."""
    return f"tyrell/{stack}/metrics"


def grafana_secret(metrics: str) -> str:
    """The name of the secret of Grafana's administrator."""
    return f"tyrell/{metrics}/grafana"


def reader(metrics: str) -> User:
    """Who may read everything."""
    return User(name="reader", secret=f"tyrell/{metrics}/reader", grants={METRICS: "READ", USAGE: "READ"}, facts={})


def users_of(stack: str, metrics: str) -> tuple[User, User]:
    """Who writes the metrics of a Link stack, and who reads its usage."""
    return (
        User(
            name=f"stack-{stack}",
            secret=writer_secret(stack),
            grants={METRICS: "WRITE"},
            facts={"metrics": metrics, "database": METRICS},
        ),
        User(
            name=f"usage-{stack}",
            secret=f"tyrell/{stack}/usage",
            grants={USAGE: "READ"},
            facts={"metrics": metrics, "database": USAGE},
        ),
    )


def find_admin(metrics: str) -> InfluxAccess:
    """How to be the administrator. Raises NotFound."""
    known = find_secret(admin_secret(metrics))
    if known is None:
        raise NotFound(f"secret {admin_secret(metrics)}", f"`tyrell metrics up {metrics}` makes it")
    return InfluxAccess(url=known["url"], username=known["username"], password=SecretStr(known["password"]))


@step("administrator of {metrics}", system="influxdb")
def create_admin(metrics: str, url: str) -> Changes:
    """Make the administrator, with whom everything else is done. InfluxDB refuses all others before there is one.

    Raises UsageError when there is one who is not ours.
    """
    changes = _keep_password(admin_secret(metrics), url, ADMIN, {})
    access = find_admin(metrics)
    try:
        query(access, "SHOW USERS")
    except InfluxDenied:
        _create_first(metrics, access)
        return (*changes, "created InfluxDB's administrator")
    return changes


def _create_first(metrics: str, access: InfluxAccess) -> None:
    nobody = InfluxAccess(url=access.url, username="", password=SecretStr(""))
    password = access.password.get_secret_value()
    try:
        query(nobody, f"CREATE USER {ADMIN} WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
    except InfluxDenied:
        raise UsageError(
            f"InfluxDB of {metrics} has another administrator than secret {admin_secret(metrics)} names;"
            " write his name and password into it"
        ) from None


@step("Grafana's administrator of {metrics}", system="secretsmanager")
def create_grafana_admin(metrics: str, url: str) -> Changes:
    """Make the password with which Grafana, at that URL, makes its administrator when it starts for the first time."""
    return _keep_password(grafana_secret(metrics), url, ADMIN, {})


@step("user {user.name} of {metrics}", system="influxdb")
def create_user(metrics: str, user: User) -> Changes:
    """Make the user and his secret be what they are to be; what is so already is left alone."""
    admin = find_admin(metrics)
    changes = _keep_password(user.secret, admin.url, user.name, user.facts)
    password = (find_secret(user.secret) or {})["password"]
    there = {row[0] for series in query(admin, "SHOW USERS") for row in series.rows}
    if user.name not in there:
        query(admin, f"CREATE USER \"{user.name}\" WITH PASSWORD '{password}'")
        changes += (f"created InfluxDB user {user.name}",)
    elif not _is_let_in(InfluxAccess(url=admin.url, username=user.name, password=SecretStr(password))):
        query(admin, f"SET PASSWORD FOR \"{user.name}\" = '{password}'")
        changes += (f"gave InfluxDB user {user.name} the password of secret {user.secret}",)
    granted = {row[0]: row[1] for series in query(admin, f'SHOW GRANTS FOR "{user.name}"') for row in series.rows}
    for database, privilege in user.grants.items():
        if granted.get(database) != privilege:
            query(admin, f'GRANT {privilege} ON {database} TO "{user.name}"')
            changes += (f"{user.name} may {privilege.lower()} {database}",)
    return changes


@step("delete user {user.name} of {metrics}", system="influxdb")
def delete_user(metrics: str, user: User) -> Changes:
    """Remove the user's secret, then the user; one whose InfluxDB does not answer stays, with a password lost."""
    changes = delete_secret(user.secret)
    try:
        admin = find_admin(metrics)
        if user.name in {row[0] for series in query(admin, "SHOW USERS") for row in series.rows}:
            query(admin, f'DROP USER "{user.name}"')
            changes += (f"deleted InfluxDB user {user.name}",)
    except InfluxUnreachable as error:
        changes += (f"left InfluxDB user {user.name} behind: {error}",)
    return changes


def delete_secrets(metrics: str) -> Changes:
    """Remove the secrets of a metrics stack whose data are gone."""
    names = (admin_secret(metrics), reader(metrics).secret, grafana_secret(metrics))
    return tuple(change for name in names for change in delete_secret(name))


def _keep_password(secret: str, url: str, name: str, facts: dict[str, str]) -> Changes:
    known = find_secret(secret) or {}
    password = known.get("password") or secrets.token_urlsafe(PASSWORD_BYTES)
    return put_secret(secret, {**facts, "url": url, "username": name, "password": password})


def _is_let_in(access: InfluxAccess) -> bool:
    try:
        query(access, "SHOW DATABASES")
    except InfluxDenied:
        return False
    return True
