"""The system token from a real PostgreSQL."""

from __future__ import annotations

import pytest

from harness.client import ask, request
from harness.database import PgBouncer, Postgres
from harness.expect import elevated_head
from harness.process import eventually
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn
from test_command_line import CONFIGURATION, USAGE, run

pytestmark = pytest.mark.tokens

SHORT = "0123456789abcdef0123456789abcdef"
SAMPLES = [
    ("protocol 2, Python 3", "gAJYIAAAADAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmcQAu", SHORT),
    ("protocol 2, cPickle unicode", "gAJYIAAAADAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmcQEu", SHORT),
    ("protocol 2, byte string", "gAJVIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmcQEu", SHORT),
    ("protocol 2, 64 hex",
     "gAJYQAAAADAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZxAC4=", SHORT * 2),
    ("protocol 3", "gANYIAAAADAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmcQAu", SHORT),
    ("protocol 4", "gASVJAAAAAAAAACMIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmlC4=", SHORT),
    ("protocol 5", "gAWVJAAAAAAAAACMIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmlC4=", SHORT),
    ("protocol 0", "VjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmCnAwCi4=", SHORT),
    ("JSON", f'"{SHORT}"', SHORT),
    ("JSON with blanks", f'  "{SHORT * 2}" ', SHORT * 2),
    ("bare hex", SHORT * 2, SHORT * 2),
]
UNREADABLE = ["[1]", "{}", "true", "gAJjb3MKc3lzdGVtCnEAWAIAAABpZHEBhXECUnEDLg==", "not a token", '"with blank"', '"a\\r\\nX: y"']


def system_proxy(start_proxy: StartProxy, stand_in: StandIn, database: Postgres | PgBouncer, *flags: str) -> Proxy:
    return start_proxy(stand_in.uri, "--pgx-conn", database.connection_string, *flags, token=None)


def serves(proxy: Proxy) -> bool:
    return ask(proxy.address, request("GET", "/api/0/")).status == 200


@pytest.mark.parametrize("stored, token", [sample[1:] for sample in SAMPLES], ids=[sample[0] for sample in SAMPLES])
def test_every_encoding_of_the_stored_value_is_read(
    stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, stored: str, token: str
) -> None:
    postgres.store(stored)
    stand_in.set_tokens([token])
    proxy = system_proxy(start_proxy, stand_in, postgres)
    eventually(lambda: serves(proxy), "the token read and in use", 5)
    assert stand_in.records(1)["requests"][-1]["head"] == elevated_head("GET /api/0/ HTTP/1.1", stand_in.address, token=token)
    assert token not in proxy.output


def test_a_jsonb_column_is_read(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres) -> None:
    postgres.create_table("jsonb")
    postgres.store_token(SHORT)
    stand_in.set_tokens([SHORT])
    proxy = system_proxy(start_proxy, stand_in, postgres)
    eventually(lambda: serves(proxy), "the token read and in use", 5)


def test_pgbouncer_in_transaction_mode_works(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, pgbouncer: PgBouncer) -> None:
    postgres.store_token(SHORT)
    stand_in.set_tokens([SHORT])
    proxy = system_proxy(start_proxy, stand_in, pgbouncer)
    eventually(lambda: serves(proxy), "the token read and in use", 5)
    postgres.store_token(SHORT * 2)
    stand_in.set_tokens([SHORT * 2])
    assert serves(proxy)


@pytest.mark.parametrize("stored", UNREADABLE)
def test_an_unreadable_value_is_a_503_and_its_content_is_not_logged(
    stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, stored: str
) -> None:
    postgres.store(stored)
    proxy = system_proxy(start_proxy, stand_in, postgres)
    answer = ask(proxy.address, request("GET", "/api/0/"))
    assert answer.status == 503 and answer.value("Retry-After")
    if len(stored) > 8:
        assert stored not in proxy.output and stored.encode() not in answer.raw


def test_an_absent_row_is_provoked_and_then_found(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres) -> None:
    proxy = system_proxy(start_proxy, stand_in, postgres)
    answer = ask(proxy.address, request("GET", "/api/0/", "Accept: application/json"))
    assert answer.status == 503 and answer.value("Retry-After") and answer.json["detail"]
    seen = stand_in.records(requests=1, seconds=5)["requests"]
    assert seen[0]["head"].startswith("GET /api/0/ HTTP/1.1\r\n") and "Authorization: Bearer " in seen[0]["head"]
    postgres.store_token(SHORT)
    stand_in.set_tokens([SHORT])
    eventually(lambda: serves(proxy), "the new row found", 15)


def test_no_database_at_start_is_a_503_that_heals_by_itself(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres) -> None:
    postgres.store_token(SHORT)
    stand_in.set_tokens([SHORT])
    postgres.stop()
    proxy = system_proxy(start_proxy, stand_in, postgres)
    answer = ask(proxy.address, request("GET", "/api/0/"))
    assert answer.status == 503 and answer.value("Retry-After")
    postgres.start()
    eventually(lambda: serves(proxy), "recovery after the database came up", 10)


@pytest.mark.slow
def test_a_lost_database_costs_no_request_that_has_a_valid_token(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres) -> None:
    postgres.store_token(SHORT)
    stand_in.set_tokens([SHORT])
    proxy = system_proxy(start_proxy, stand_in, postgres)
    eventually(lambda: serves(proxy), "the token read", 5)
    postgres.stop()
    for _ in range(500):
        assert serves(proxy)
    stand_in.set_tokens([SHORT * 2])
    answer = ask(proxy.address, request("GET", "/api/0/"))
    assert answer.status == 401, "no database to renew from: Sentry's own answer"
    postgres.start()
    postgres.store_token(SHORT * 2)
    eventually(lambda: serves(proxy), "recovery within 5 s", 5)


@pytest.mark.parametrize("connection, named", [
    ("postgres://h/db?no_such_parameter=1", "no_such_parameter"),
    ("host=/nowhere pool_wrong=1", "pool_wrong"),
    ("host='unterminated", "--pgx-conn"),
])
def test_a_wrong_connection_string_is_refused_at_start(connection: str, named: str) -> None:
    ended = run("--listen", "127.0.0.1:0", "--pgx-conn", connection)
    assert ended.returncode in (USAGE, CONFIGURATION)
    assert named in ended.stderr and "--pgx-conn" in ended.stderr


@pytest.mark.parametrize("parameter", [
    "default_query_exec_mode=simple_protocol", "statement_cache_capacity=0", "description_cache_capacity=0", "pool_max_conns=4",
    "pool_min_conns=1", "pool_max_conn_lifetime=1h",
])
def test_pgx_parameters_are_taken_out(stand_in: StandIn, start_proxy: StartProxy, postgres: Postgres, parameter: str) -> None:
    postgres.store_token(SHORT)
    stand_in.set_tokens([SHORT])
    proxy = start_proxy(stand_in.uri, "--pgx-conn", f"{postgres.connection_string} {parameter}", token=None)
    eventually(lambda: serves(proxy), "the token read", 5)
