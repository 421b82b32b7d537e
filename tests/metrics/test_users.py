"""Databases and users of a metrics stack, on a real InfluxDB; a password is in its secret and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from tasks.errors import InfluxDenied, InfluxRefused, NotFound, UsageError
from tasks.influxdb import InfluxAccess, query, write
from tasks.monitoring.databases import METRICS, USAGE, create_databases
from tasks.monitoring.users import (
    admin_secret,
    create_admin,
    create_user,
    delete_user,
    find_admin,
    reader,
    users_of,
)
from tasks.secrets import find_secret, put_secret
from tests.link.influxdb_server import ADMIN, InfluxServer
from tests.tasks.own_aws import own_aws

pytestmark = pytest.mark.influxdb

NAME, STACK = "m", "lab"


@pytest.fixture(autouse=True, scope="module")
def aws() -> Iterator[None]:
    """This process is led to an AWS with no secrets."""
    with own_aws():
        yield


@pytest.fixture
def known(influxdb: InfluxServer) -> InfluxServer:
    """The server, whose administrator the secret names."""
    put_secret(admin_secret(NAME), {"url": influxdb.url, "username": ADMIN[0], "password": ADMIN[1]})
    return influxdb


def as_said(secret: str) -> InfluxAccess:
    """Whoever the secret says."""
    values = find_secret(secret) or {}
    return InfluxAccess(url=values["url"], username=values["username"], password=SecretStr(values["password"]))


def test_an_administrator_who_is_not_ours_is_told_and_left_alone(influxdb: InfluxServer) -> None:
    with pytest.raises(UsageError, match="InfluxDB of other has another administrator than secret tyrell/other/admin"):
        create_admin.fn("other", influxdb.url)
    with pytest.raises(NotFound, match="secret tyrell/none/admin does not exist"):
        find_admin("none")


def test_what_is_as_it_is_to_be_is_left_alone(known: InfluxServer) -> None:
    write_user, usage_user = users_of(STACK, NAME)
    assert create_admin.fn(NAME, known.url) == ()
    create_databases.fn(NAME, find_admin(NAME), 90)
    assert create_databases.fn(NAME, find_admin(NAME), 90) == ()
    assert create_databases.fn(NAME, find_admin(NAME), 30) == ("database telegraf keeps for 30 days",)
    for user in (write_user, usage_user, reader(NAME)):
        assert f"created InfluxDB user {user.name}" in create_user.fn(NAME, user)
        assert create_user.fn(NAME, user) == ()


def test_a_stack_may_write_metrics_and_read_usage_and_nothing_else(known: InfluxServer) -> None:
    for user in users_of(STACK, NAME):
        create_user.fn(NAME, user)
    writer, usage = as_said(f"tyrell/{STACK}/metrics"), as_said(f"tyrell/{STACK}/usage")
    write(writer, METRICS, ["seen value=1"])
    assert query(usage, "SHOW MEASUREMENTS", USAGE) is not None
    for user_access in (writer, usage):
        with pytest.raises((InfluxDenied, InfluxRefused)):
            query(user_access, "SELECT * FROM seen", METRICS)
    with pytest.raises((InfluxDenied, InfluxRefused)):
        write(usage, USAGE, ["seen value=1"])


def test_a_password_that_somebody_changed_becomes_that_of_the_secret_again(known: InfluxServer) -> None:
    user = users_of(STACK, NAME)[0]
    create_user.fn(NAME, user)
    known.ask(f"SET PASSWORD FOR \"{user.name}\" = 'changed'")
    with pytest.raises(InfluxDenied):
        write(as_said(user.secret), METRICS, ["seen value=1"])
    changes = create_user.fn(NAME, user)
    assert changes == (f"gave InfluxDB user {user.name} the password of secret {user.secret}",)
    write(as_said(user.secret), METRICS, ["seen value=1"])


def test_a_user_who_goes_leaves_no_secret_and_can_do_nothing_any_more(known: InfluxServer) -> None:
    user = users_of("gone", NAME)[0]
    create_user.fn(NAME, user)
    access = as_said(user.secret)
    assert delete_user.fn(NAME, user) == (f"deleted secret {user.secret}", f"deleted InfluxDB user {user.name}")
    assert delete_user.fn(NAME, user) == ()
    with pytest.raises(InfluxDenied):
        write(access, METRICS, ["seen value=1"])


def test_a_user_can_go_while_influxdb_does_not_answer() -> None:
    user = users_of("gone", "dead")[0]
    put_secret(admin_secret("dead"), {"url": "http://127.31.0.9:1", "username": "admin", "password": "p"})
    put_secret(user.secret, {"password": "p"})
    deleted, left = delete_user.fn("dead", user)
    assert deleted == f"deleted secret {user.secret}"
    assert left.startswith(f"left InfluxDB user {user.name} behind: InfluxDB at http://127.31.0.9:1 does not answer")


def test_no_error_repeats_a_password(known: InfluxServer) -> None:
    with pytest.raises(InfluxRefused) as refused:
        query(find_admin(NAME), "CREATE USER admin WITH PASSWORD 'hush' WITH ALL PRIVILEGES NONSENSE")
    assert "hush" not in str(refused.value)
    assert "[REDACTED]" in str(refused.value)
