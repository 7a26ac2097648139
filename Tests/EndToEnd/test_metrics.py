"""/metrics: read by Prometheus' own parser, and the sums are what was sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.client import Client, ask, request
from harness.database import Postgres
from harness.load import Load, Result
from harness.metrics import PREFIX, scrape
from harness.process import eventually
from harness.proxy import ROOT, Proxy, StartProxy
from harness.upstream import TOKEN, RawUpstream, StandIn

ALIASES = {"alpha": "alias-token-of-alpha", "be\"ta": "alias-token-of-beta"}


def alias_file(tmp_path: Path, aliases: dict[str, str]) -> Path:
    path = tmp_path / "aliases"
    path.write_text("".join(f"{name} {token}\n" for name, token in aliases.items()))
    return path


def test_names_types_and_help_follow_the_conventions(proxy: Proxy) -> None:
    assert ask(proxy.address, request("GET", "/api/0/")).status == 200
    seen = scrape(proxy)
    assert len(seen.families) > 25
    for family in seen.families:
        assert family.help, family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name
        assert family.name.startswith((PREFIX, "process_")), family.name
        assert re.fullmatch(r"[a-z_]+", family.name), family.name
    declared = re.findall(r"^# TYPE (\S+) (\S+)$", seen.text, re.MULTILINE)
    assert len(declared) == len({name for name, _ in declared}) == len(seen.families)
    for name, kind in declared:
        assert (kind == "counter") == name.endswith("_total"), name
    for family in seen.families:
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
    assert seen.sum("build_info") == 1


def test_each_metric_is_documented(proxy: Proxy) -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    seen = scrape(proxy)
    documented = set(re.findall(r"^\| `((?:sentry_api_proxy|process)_[a-z_]+)` \|", text, re.MULTILINE))
    assert set(re.findall(r"^# TYPE (\S+) ", seen.text, re.MULTILINE)) == documented
    causes = text.partition("### Causes of failures")[2].partition("\n## ")[0]
    first_column = "".join(re.findall(r"^\|([^|]*)\|", causes, re.MULTILINE))
    assert {labels["cause"] for labels, _ in seen.samples("request_failures_total")} == set(re.findall(r"`([a-z_]+)`", first_column))


def test_histograms_are_cumulative_and_agree_with_their_counts(proxy: Proxy) -> None:
    for _ in range(20):
        assert ask(proxy.address, request("GET", "/api/0/")).status == 200
    seen = scrape(proxy)
    for name, labels in (("request_duration_seconds", {"route": "elevated"}), ("upstream_connect_duration_seconds", {}),
                         ("upstream_first_byte_duration_seconds", {})):
        buckets = [(float(found["le"]), value) for found, value in seen.samples(name + "_bucket", **labels)]
        assert [bound for bound, _ in buckets] == sorted(bound for bound, _ in buckets) and buckets[-1][0] == float("inf")
        assert [value for _, value in buckets] == sorted(value for _, value in buckets)
        assert buckets[-1][1] == seen.sum(name + "_count", **labels) == 20
        assert 0 <= seen.sum(name + "_sum", **labels) < 20


def test_the_sum_of_all_counters_is_what_was_sent(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start_proxy(stand_in.uri, "--threads", "4", "--alias-file", str(alias_file(tmp_path, ALIASES)))
    sent = {"alpha": 37, "be\"ta": 21}
    for name, count in sent.items():
        for _ in range(count):
            assert ask(proxy.address, request("GET", "/api/0/", f"Authorization: Bearer {ALIASES[name]}")).status == 200
    for _ in range(13):
        assert ask(proxy.address, request("GET", "/api/0/organizations/")).status == 401
    for _ in range(5):
        assert ask(proxy.address, b"GET / HTTP/1.1\r\n\r\n").status == 400
    body = b"x" * 1000
    for _ in range(3):
        assert ask(proxy.address, request("POST", "/behave/echo", body=body)).status == 200
    Client(proxy.address).reset()
    seen = scrape(proxy)
    assert seen.sum("requests_total") == 37 + 21 + 13 + 5 + 3
    assert seen.sum("requests_total", route="elevated", status="2xx") == 58
    assert seen.sum("requests_total", route="bypass", status="4xx") == 13
    assert seen.sum("requests_total", route="bypass", status="2xx") == 3
    assert seen.sum("requests_total", route="unrouted", status="4xx") == 5
    for name, count in sent.items():
        assert seen.sum("alias_requests_total", alias=name) == seen.sum("alias_requests_total", alias=name, status="2xx") == count
    assert seen.sum("request_duration_seconds_count") == seen.sum("requests_total")
    assert seen.sum("request_failures_total", cause="bad_request") == 5
    assert seen.sum("request_failures_total") == 5
    assert seen.sum("request_body_bytes_total") == 3 * 1000
    assert seen.sum("requests_in_flight") == 0 and seen.sum("workers_unresponsive") == 0
    assert seen.sum("impossible_steps_total") == 0
    for secret in (*ALIASES.values(), TOKEN):
        assert secret not in seen.text


def test_counts_under_load_from_all_workers_are_exact_and_never_fall(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--threads", "4", "--access-log", "off")
    load = Load(proxy.address, rate=150, seconds=30)
    totals = [scrape(proxy).sum("requests_total") for _ in range(5)]
    result = load.stop()
    assert totals == sorted(totals) and totals[-1] > totals[0]
    assert not result.broken and not result.unconnected
    assert scrape(proxy).sum("requests_total") == result.sent == result.ok


def test_in_flight_goes_up_and_down(proxy: Proxy, stand_in: StandIn) -> None:
    with Client(proxy.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=1)
        assert scrape(proxy).sum("requests_in_flight") == 1
        stand_in.release()
        client.read_answer()
    assert scrape(proxy).sum("requests_in_flight") == 0


def test_upstream_errors_are_counted_by_kind(start_proxy: StartProxy, raw_upstream: Callable[..., RawUpstream]) -> None:
    proxy = start_proxy(raw_upstream(b"nonsense\r\n\r\n").uri)
    assert ask(proxy.address, request("GET", "/api/0/")).status == 502
    seen = scrape(proxy)
    assert seen.sum("request_failures_total", cause="bad_answer") == 1
    assert seen.sum("requests_total", status="5xx") == 1
    silent = start_proxy(raw_upstream().uri)
    assert ask(silent.address, request("GET", "/api/0/")).status == 502
    assert scrape(silent).sum("request_failures_total", cause="closed_before_answer") == 1
    nobody = start_proxy("http://127.0.0.1:1")
    assert ask(nobody.address, request("GET", "/api/0/")).status == 502
    assert scrape(nobody).sum("request_failures_total", cause="connection_refused") == 1


def test_a_slow_upstream_and_a_client_that_leaves_are_told_apart(stand_in: StandIn, start_proxy: StartProxy) -> None:
    proxy = start_proxy(stand_in.uri, "--response-timeout", "0.3")
    assert ask(proxy.address, request("GET", "/behave/hold-head")).status == 504
    assert scrape(proxy).sum("request_failures_total", cause="answer_timeout") == 1
    patient = start_proxy(stand_in.uri)
    with Client(patient.address) as client:
        client.send(request("GET", "/behave/hold-head"))
        stand_in.records(requests=2)
        client.reset()
    eventually(lambda: scrape(patient).sum("request_failures_total", cause="client_left") == 1, "the departure is counted")
    assert scrape(patient).sum("requests_total", route="elevated", status="none") == 1
    stand_in.release()


def test_an_alias_keeps_its_count_when_a_reload_changes_the_order(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    path = alias_file(tmp_path, {"one": "alias-token-one", "two": "alias-token-two"})
    proxy = start_proxy(stand_in.uri, "--threads", "1", "--alias-file", str(path))
    asked = request("GET", "/api/0/", "Authorization: Bearer alias-token-two")
    assert ask(proxy.address, asked).status == 200
    alias_file(tmp_path, {"three": "alias-token-three", "two": "alias-token-two"})
    proxy.signal(1)
    proxy.wait_for_line(lambda line: "msg=reloaded" in line)
    assert ask(proxy.address, asked).status == 200
    assert ask(proxy.address, request("GET", "/api/0/", "Authorization: Bearer alias-token-three")).status == 200
    seen = scrape(proxy)
    assert seen.sum("alias_requests_total", alias="two") == 2
    assert seen.sum("alias_requests_total", alias="three") == 1
    assert seen.sum("alias_requests_total", alias="one") == 0


def test_many_aliases_make_a_bounded_page(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> None:
    names = [f"alias{number}" for number in range(3000)]
    proxy = start_proxy(stand_in.uri, "--threads", "1", "--alias-file", str(alias_file(tmp_path, {name: f"token-of-{name}" for name in names})))
    for name in (names[0], names[-1], names[-2]):
        assert ask(proxy.address, request("GET", "/api/0/", f"Authorization: Bearer token-of-{name}")).status == 200
    seen = scrape(proxy)
    assert seen.sum("alias_requests_total", alias="alias0") == 1
    assert seen.sum("alias_requests_total", alias="other aliases") == 2
    assert len(seen.text) < 100_000


def load_before_and_behind_a_blocked_log(proxy: Proxy) -> tuple[Result, Result, float]:
    """Ten quiet seconds, then thirty in which nobody reads the log; and how many lines were dropped."""
    quiet = Load(proxy.address, rate=100, seconds=10).wait()
    proxy.stop_reading()
    # 300 bytes a line: the pipe and the queue hold about 350 KB together.
    blocked = Load(proxy.address, rate=100, seconds=30, target="/api/0/?" + "q" * 5).wait()
    seen = scrape(proxy)
    proxy.go_on_reading()
    for result in (quiet, blocked):
        assert not result.broken and not result.unconnected
    assert seen.sum("requests_total") == quiet.ok + blocked.ok
    dropped = seen.sum("log_lines_dropped_total")
    print(f"\np99 {quiet.percentile(0.99) * 1e3:.1f} ms, with a blocked log {blocked.percentile(0.99) * 1e3:.1f} ms; "
          f"{dropped:.0f} lines dropped")
    return quiet, blocked, dropped


@pytest.mark.slow
def test_a_blocked_log_stops_no_request_and_dropped_lines_are_counted(stand_in: StandIn, start_proxy: StartProxy) -> None:
    _, _, dropped = load_before_and_behind_a_blocked_log(start_proxy(stand_in.uri, "--threads", "1"))
    assert dropped > 0


@pytest.mark.campaign
def test_a_blocked_log_makes_no_request_slower(stand_in: StandIn, start_proxy: StartProxy) -> None:
    quiet, blocked, _ = load_before_and_behind_a_blocked_log(start_proxy(stand_in.uri, "--threads", "1"))
    assert blocked.percentile(0.99) < max(0.1, 3 * quiet.percentile(0.99))


def test_every_nth_ordinary_request_is_logged_and_each_that_failed(start_proxy: StartProxy, stand_in: StandIn) -> None:
    proxy = start_proxy(stand_in.uri, "--threads", "1", "--access-log-sample", "5")
    for _ in range(20):
        assert ask(proxy.address, request("GET", "/api/0/")).status == 200
    for _ in range(3):
        assert ask(proxy.address, b"GET / HTTP/1.1\r\n\r\n").status == 400
    eventually(lambda: proxy.output.count("status=400") == 3, "failures are logged")
    assert proxy.output.count("status=200") == 4


def test_alerts_and_dashboard_ask_only_for_what_is_there(proxy: Proxy) -> None:
    known = set(re.findall(r"^# TYPE (\S+) ", scrape(proxy).text, re.MULTILINE))
    for path in (ROOT / "Deploy" / "prometheus" / "alerts.yml", ROOT / "Deploy" / "grafana" / "dashboard.json"):
        asked = set(re.findall(r"\b(?:sentry_api_proxy|process)_[a-z_]+", path.read_text()))
        assert len(asked) > 5
        for name in asked:
            assert re.sub(r"_(bucket|sum|count)$", "", name) in known, f"{path.name}: {name}"


@pytest.mark.tokens
def test_a_renewal_is_counted_and_its_times_are_those_of_the_second_sending(postgres: Postgres, stand_in: StandIn,
                                                                            start_proxy: StartProxy) -> None:
    old, new = "a" * 64, "b" * 64
    stand_in.set_tokens([old])
    postgres.store_token(old)
    proxy = start_proxy(stand_in.uri, "--threads", "1", token=None, environment={"PGX_CONN": postgres.connection_string})
    eventually(lambda: ask(proxy.address, request("GET", "/api/0/organizations/")).status == 200, "the token is there", 20)
    before = scrape(proxy)
    postgres.store_token(new)
    stand_in.set_tokens([new])
    assert ask(proxy.address, request("GET", "/api/0/organizations/")).status == 200
    seen = scrape(proxy)
    for name, labels in (("token_retries_total", {"outcome": "renewed"}), ("token_renewals_total", {"outcome": "renewed"}),
                         ("token_fetches_total", {"cause": "renewal", "outcome": "obtained"}),
                         ("requests_total", {"route": "elevated", "status": "2xx"})):
        assert seen.sum(name, **labels) == before.sum(name, **labels) + 1, name
    assert seen.sum("request_failures_total") == before.sum("request_failures_total")
    assert seen.sum("upstream_first_byte_duration_seconds_sum") < 60 and seen.sum("upstream_connect_duration_seconds_sum") < 60
    line = proxy.wait_for_line(lambda text: "retry=renewed" in text)
    for name in ("total_ms", "connect_ms", "upstream_ms"):
        assert float(re.search(rf"\b{name}=(\S+)", line).group(1)) < 60_000, line  # type: ignore[union-attr]
