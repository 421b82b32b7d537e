"""Queries and points go through HTTP to a real InfluxDB, and what it says against them is an error of ours."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import SecretStr

from tasks.errors import InfluxDenied, InfluxRefused, InfluxUnreachable
from tasks.influxdb import InfluxAccess, Series, query, write
from tests.waiting import free_port

pytestmark = pytest.mark.influxdb

MILLISECOND = 1_000_000
"""In nanoseconds, as points are written."""


def test_what_was_written_is_what_is_asked_for_in_series_by_tag(admin: InfluxAccess, writer: InfluxAccess) -> None:
    lines = (f"doors,house={house} opened={n}i {n * MILLISECOND}" for house in ("a", "b") for n in (1, 2))
    write(writer, "telegraf", lines)
    assert query(admin, "SELECT opened FROM doors GROUP BY house", "telegraf") == (
        Series("doors", {"house": "a"}, ("time", "opened"), ((1, 1), (2, 2))),
        Series("doors", {"house": "b"}, ("time", "opened"), ((1, 1), (2, 2))),
    )


def test_an_answer_longer_than_the_servers_row_limit_is_complete(admin: InfluxAccess, writer: InfluxAccess) -> None:
    write(writer, "telegraf", (f"steps n={n}i {n * MILLISECOND}" for n in range(25_000)))
    (series,) = query(admin, "SELECT n FROM steps", "telegraf")
    assert [row[1] for row in series.rows] == list(range(25_000))


def test_series_of_several_statements_come_in_their_order(admin: InfluxAccess, writer: InfluxAccess) -> None:
    write(writer, "telegraf", ("left n=1i 1", "right n=2i 1"))
    found = query(admin, "SELECT n FROM right; SELECT n FROM left", "telegraf")
    assert [each.name for each in found] == ["right", "left"]


def test_a_measurement_that_is_not_there_is_no_series(admin: InfluxAccess) -> None:
    assert query(admin, "SELECT value FROM nobody_writes_this", "telegraf") == ()


def test_an_error_of_a_statement_is_an_error_though_its_status_is_200(admin: InfluxAccess) -> None:
    with pytest.raises(InfluxRefused, match=r"refused `SELECT value FROM a`: database not found: nowhere"):
        query(admin, "SELECT value FROM a", "nowhere")


def test_what_can_not_be_parsed_is_refused_with_the_servers_reason(admin: InfluxAccess, writer: InfluxAccess) -> None:
    with pytest.raises(InfluxRefused, match="error parsing query: found SELEKT"):
        query(admin, "SELEKT value", "telegraf")
    with pytest.raises(InfluxRefused, match="unable to parse 'no point'"):
        write(writer, "telegraf", ("no point",))


def test_a_wrong_password_and_a_missing_right_are_denied(reader: InfluxAccess, writer: InfluxAccess) -> None:
    wrong = writer.model_copy(update={"password": SecretStr("guessed")})
    with pytest.raises(InfluxDenied, match="user stack: status 401, authorization failed"):
        write(wrong, "telegraf", ("a n=1i",))
    with pytest.raises(InfluxDenied, match="user usage: status 403"):
        write(reader, "telegraf", ("a n=1i",))
    with pytest.raises(InfluxDenied, match="user stack: status 403"):
        query(writer, "SELECT n FROM a", "telegraf")


def test_where_nobody_listens_influxdb_is_unreachable(admin: InfluxAccess) -> None:
    nobody = admin.model_copy(update={"url": f"http://127.31.0.2:{free_port('127.31.0.2')}"})
    with pytest.raises(InfluxUnreachable, match="refused"):
        query(nobody, "SHOW DATABASES")


class Elsewhere(BaseHTTPRequestHandler):
    """A server that is no InfluxDB."""

    def do_POST(self) -> None:
        """Be friendly."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'"welcome"')


def test_where_another_program_listens_influxdb_is_unreachable(admin: InfluxAccess) -> None:
    with HTTPServer(("127.31.0.2", 0), Elsewhere) as server:
        threading.Thread(target=server.handle_request).start()
        elsewhere = admin.model_copy(update={"url": f"http://127.31.0.2:{server.server_port}"})
        with pytest.raises(InfluxUnreachable, match="what answers there is no InfluxDB"):
            query(elsewhere, "SHOW DATABASES")


def test_the_password_is_in_no_text_of_an_access(writer: InfluxAccess) -> None:
    assert writer.password.get_secret_value() == "may only write"
    assert "may only write" not in f"{writer!r} {writer} {writer.model_dump_json()}"
