"""The device flow that the proxy answers itself: from `sentry auth login` to a narrowed alias."""

from __future__ import annotations

import base64
import hashlib
import multiprocessing
import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from harness.client import ask, request
from harness.device import ALIAS, CLIENT, FORM, GRANT, ask_for_code, command, fetch, get, poll, post, starter
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

SANITIZER = os.environ.get("SANITIZER", "")
REQUEST_PAUSE = 0.005


@pytest.fixture
def start(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path):
    return starter(stand_in, start_proxy, tmp_path)


def log_in(proxy: Proxy) -> dict:
    code = ask_for_code(proxy.address)
    answer = poll(proxy.address, code["device_code"])
    assert answer.status == 200, answer.raw
    return answer.json


def test_a_login_ends_with_a_narrowed_alias(start, stand_in: StandIn, tmp_path: Path) -> None:
    proxy = start("--device-policy", "read-only org=acme")
    code = ask_for_code(proxy.address)
    assert code["verification_uri"] == f"http://127.0.0.1:{proxy.port}/oauth/device/"
    assert code["verification_uri_complete"].endswith("?user_code=" + code["user_code"])
    assert (code["expires_in"], code["interval"]) == (600, 5)
    answer = poll(proxy.address, code["device_code"])
    assert answer.status == 200 and answer.value("Cache-Control") == "no-store"
    token = answer.json
    assert token["token_type"] == "Bearer" and token["expires_in"] == 43200
    assert token["user"] == {"email": None, "id": "0", "name": f"alias device-{code['user_code'][:4]}"}
    assert "refresh_token" not in token
    alias = token["access_token"]
    organizations = get(proxy.address, "/api/0/organizations/?per_page=100", alias)
    assert [item["slug"] for item in organizations.json] == ["acme"], organizations.raw
    assert get(proxy.address, "/api/0/auth/", alias).json["id"] == "0"
    assert get(proxy.address, "/api/0/organizations/acme/", alias).status == 200
    refused = fetch(proxy.address, "PUT", "/api/0/organizations/acme/issues/1/", f"authorization: Bearer {alias}")
    assert refused.status == 403, refused.raw
    grants = tmp_path / "state" / "grants.json"
    assert stat.S_IMODE(grants.stat().st_mode) == 0o600
    secrets = [alias, code["device_code"], code["user_code"]]
    text = grants.read_text() + proxy.output
    assert not [secret for secret in secrets if secret in text]


def test_a_code_taken_twice_withdraws_its_alias(start) -> None:
    proxy = start()
    code = ask_for_code(proxy.address)
    alias = poll(proxy.address, code["device_code"]).json["access_token"]
    assert get(proxy.address, "/api/0/auth/", alias).status == 200
    second = poll(proxy.address, code["device_code"])
    assert (second.status, second.json) == (400, {"error": "invalid_grant"})
    assert get(proxy.address, "/api/0/auth/", alias).status == 401


def test_a_grant_outlives_a_restart_and_not_a_revocation(start) -> None:
    proxy = start()
    alias = log_in(proxy)["access_token"]
    proxy.stop()
    proxy = start()
    assert get(proxy.address, "/api/0/auth/", alias).status == 200
    assert post(proxy.address, "/oauth/revoke/", token=alias).status == 200
    assert get(proxy.address, "/api/0/auth/", alias).status == 401


@pytest.mark.parametrize("target", ["/oauth/authorize/", "/OAuth/authorize/", "/%6fauth/authorize/", "//oauth/authorize/",
                                    "/x/../oauth/token/", "/%256fauth/authorize/", "/oauth", "/oauth/token"])
def test_nothing_else_under_oauth_reaches_sentry(start, stand_in: StandIn, target: str) -> None:
    proxy = start()
    assert ask(proxy.address, request("GET", target)).status == 404
    stand_in.assert_untouched()


def test_a_client_that_polls_too_fast_is_slowed_down(start) -> None:
    proxy = start(approval="admin")
    code = ask_for_code(proxy.address)
    assert poll(proxy.address, code["device_code"]).json == {"error": "authorization_pending"}
    too_fast = poll(proxy.address, code["device_code"])
    assert (too_fast.status, too_fast.json) == (400, {"error": "slow_down"}), too_fast.raw


def test_a_code_of_another_client_is_not_taken(start) -> None:
    proxy = start()
    code = ask_for_code(proxy.address)
    assert poll(proxy.address, code["device_code"], client="another").json == {"error": "invalid_grant"}
    assert poll(proxy.address, code["device_code"]).status == 200


def test_a_job_that_uploads_is_told_its_scope(start, stand_in: StandIn) -> None:
    proxy = start("--device-policy", "ci-upload org=acme", "--device-lifetime", "1h")
    code = ask_for_code(proxy.address, scope="org:ci")
    token = poll(proxy.address, code["device_code"]).json
    assert token["scope"] == "org:ci", token
    alias = token["access_token"]
    assert get(proxy.address, "/api/0/", alias).json["auth"]["scopes"] == ["org:ci"]
    assert get(proxy.address, "/api/0/organizations/acme/chunk-upload/", alias).status == 200
    assert get(proxy.address, "/api/0/organizations/acme/issues/", alias).status == 403


def test_a_restart_ends_what_waits(start) -> None:
    proxy = start(approval="admin")
    code = ask_for_code(proxy.address)
    proxy.stop()
    proxy = start(approval="admin")
    assert poll(proxy.address, code["device_code"]).json == {"error": "expired_token"}


def page(proxy: Proxy, query: str = ""):
    return fetch(proxy.address, "GET", f"/oauth/device/{query}")


def test_the_page_shows_and_does_not_approve(start) -> None:
    proxy = start(approval="admin")
    code = ask_for_code(proxy.address, client="<b>x</b>")
    answer = page(proxy, f"?user_code={code['user_code']}")
    text = answer.body.decode()
    assert answer.status == 200 and "Approve only if you started this" in text
    assert "<b>x" not in text and "&lt;b&gt;x" in text and "<script" not in text and "<form" not in text
    policy = answer.value("Content-Security-Policy") or ""
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
    assert answer.value("X-Frame-Options") == "DENY" and answer.value("Referrer-Policy") == "no-referrer"
    assert page(proxy, "?user_code=WDJB-MJHT").status == 404
    echoed = page(proxy, "?user_code=%3Cscript%3E")
    assert echoed.status == 400 and b"script" not in echoed.body
    assert [page(proxy, "?user_code=WDJB-MJHT").status for _ in range(9)][-1] == 429


def decide(proxy: Proxy, code: dict, passcode: str, *lines: str, decision: str = "approve"):
    return post(proxy.address, "/oauth/device/", *lines, user_code=code["user_code"], approval_code=passcode, decision=decision)


def test_who_has_an_approval_code_approves_on_the_page(start) -> None:
    proxy = start(approval="code")
    code = ask_for_code(proxy.address)
    assert b'name="approval_code"' in page(proxy, f"?user_code={code['user_code']}").body
    passcode = command(proxy, "device", "passcode").stdout[:9]
    # Node's fetch says nothing of the site; these are a browser's own.
    for line in ("sec-fetch-site: cross-site", "sec-fetch-site: same-site"):
        assert decide(proxy, code, passcode, line).status == 403
    assert decide(proxy, code, passcode, "origin: https://evil.example").status == 403
    assert decide(proxy, code, "BBBB-BBBB").status == 403
    assert decide(proxy, code, passcode, "sec-fetch-site: same-origin", "origin: null").status == 200
    assert poll(proxy.address, code["device_code"]).status == 200
    second = ask_for_code(proxy.address)
    assert decide(proxy, second, passcode).status == 403, "an approval code is good once"
    for _ in range(4):
        decide(proxy, second, "BBBB-BBBB")
    assert poll(proxy.address, second["device_code"]).json == {"error": "access_denied"}


BAD_FORMS = [
    ("/oauth/device/code/", "scope=org%3Aread", "invalid_request"),
    ("/oauth/device/code/", "client_id=a&client_id=b", "invalid_request"),
    ("/oauth/device/code/", "client_id=a&scope=org%3Aread+everything", "invalid_scope"),
    ("/oauth/device/code/", "client_id=a&scope=%ff", "invalid_scope"),
    ("/oauth/device/code/", "client_id=%zz", "invalid_request"),
    ("/oauth/device/code/", "client_id=a&x=" + "y" * 8192, "invalid_request"),
    ("/oauth/token/", "", "invalid_request"),
    ("/oauth/token/", "grant_type=authorization_code&code=x&client_id=a", "unsupported_grant_type"),
    ("/oauth/token/", "grant_type=refresh_token&refresh_token=sapr_x&client_id=a", "unsupported_grant_type"),
    ("/oauth/token/", urlencode({"grant_type": GRANT, "client_id": "a"}), "invalid_request"),
    ("/oauth/token/", urlencode({"grant_type": GRANT, "client_id": "a", "device_code": "x"}), "invalid_grant"),
    ("/oauth/revoke/", "", "invalid_request"),
]


@pytest.mark.parametrize(("target", "form", "error"), BAD_FORMS)
@pytest.mark.parametrize("chunked", [False, True])
def test_bad_forms_get_the_error_of_the_rfc(start, stand_in: StandIn, target: str, form: str, error: str, chunked: bool) -> None:
    proxy = start(approval="admin")
    kind = f"Content-Type: {FORM}"
    if chunked:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(form), form.encode()) if form else b"0\r\n\r\n"
        answer = ask(proxy.address, request("POST", target, kind, "Transfer-Encoding: chunked") + body)
    else:
        answer = ask(proxy.address, request("POST", target, kind, f"Content-Length: {len(form)}") + form.encode())
    assert (answer.status, answer.json) == (400, {"error": error}), answer.raw
    assert answer.value("Cache-Control") == "no-store"
    stand_in.assert_untouched()
    assert "nobody waits" in command(proxy, "device", "list").stdout


def test_another_type_or_method_is_refused(start) -> None:
    proxy = start()
    answer = ask(proxy.address, request("POST", "/oauth/device/code/", "Content-Type: application/json", body=b'{"client_id": "a"}'))
    assert (answer.status, answer.json) == (400, {"error": "invalid_request"})
    answer = ask(proxy.address, request("GET", "/oauth/token/"))
    assert (answer.status, answer.value("Allow")) == (405, "POST")


def test_a_forged_host_moves_no_url(start) -> None:
    proxy = start()
    answer = fetch(proxy.address, "POST", "/oauth/device/code/", f"content-type: {FORM}", body="client_id=a", host="evil.example")
    assert answer.json["verification_uri"] == f"http://127.0.0.1:{proxy.port}/oauth/device/"
    metadata = fetch(proxy.address, "GET", "/.well-known/oauth-authorization-server", host="evil.example").json
    assert metadata["issuer"] == f"http://127.0.0.1:{proxy.port}"
    assert metadata["device_authorization_endpoint"] == metadata["issuer"] + "/oauth/device/code/"


def test_one_address_asks_five_times_a_minute(start) -> None:
    proxy = start(approval="admin")
    for _ in range(5):
        ask_for_code(proxy.address)
    answer = post(proxy.address, "/oauth/device/code/", client_id="a")
    assert (answer.status, answer.json) == (429, {"error": "slow_down"}) and answer.value("Retry-After")


def test_a_refresh_gives_another_alias_for_the_same_grant(start) -> None:
    proxy = start("--device-refresh", "on")
    token = log_in(proxy)
    assert token["expires_in"] == 3600 and token["refresh_token"].startswith("sapr_")

    def refresh(**more: str):
        return post(proxy.address, "/oauth/token/", grant_type="refresh_token", refresh_token=token["refresh_token"], client_id=CLIENT, **more)

    renewed = refresh().json
    assert renewed["access_token"] != token["access_token"] and renewed["refresh_token"] == token["refresh_token"]
    for alias in (token["access_token"], renewed["access_token"]):
        assert get(proxy.address, "/api/0/auth/", alias).status == 200
    assert refresh(scope="event:write").json == {"error": "invalid_scope"}
    assert post(proxy.address, "/oauth/revoke/", token=token["refresh_token"]).status == 200
    assert refresh().json == {"error": "invalid_grant"}
    for alias in (token["access_token"], renewed["access_token"]):
        assert get(proxy.address, "/api/0/auth/", alias).status == 401
    assert token["refresh_token"] not in proxy.output


def test_a_refresh_that_cannot_be_stored_is_not_answered(start, tmp_path: Path) -> None:
    proxy = start("--device-refresh", "on")
    token = log_in(proxy)
    state = tmp_path / "state"
    state.chmod(0o755)
    answer = post(proxy.address, "/oauth/token/", grant_type="refresh_token", refresh_token=token["refresh_token"], client_id=CLIENT)
    assert answer.raw == b"", answer.raw
    assert get(proxy.address, "/api/0/auth/", token["access_token"]).status == 200
    state.chmod(0o700)


def test_a_refusal_of_sentry_does_not_end_a_login(start, stand_in: StandIn) -> None:
    proxy = start()
    alias = log_in(proxy)["access_token"]
    stand_in.set_tokens(["sntryu_" + "0" * 64])
    assert get(proxy.address, "/api/0/organizations/", alias).status == 502


def metric(proxy: Proxy, name: str) -> int:
    page = ask(proxy.admin, request("GET", "/metrics")).payload.decode()
    return int(float(re.search(rf"^{re.escape(name)} (\S+)", page, re.MULTILINE).group(1)))  # type: ignore[union-attr]


def ask_in_a_flood(address: tuple[str, int], codes: int) -> int:
    """How many codes are given, each asked for from an address of its own."""
    given = 0
    for number in range(codes):
        source = f"X-Forwarded-For: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        answer = post(address, "/oauth/device/code/", source, client_id="a")
        assert answer.status in (200, 429), answer.raw
        given += answer.status == 200
    return given


def poll_in_a_flood(address: tuple[str, int], polls: int) -> None:
    for number in range(polls):
        answer = post(address, "/oauth/token/", client_id="a", device_code=f"{number:064x}", grant_type=GRANT)
        assert answer.status == 400, answer.raw


def seconds(proxy: Proxy, until: Callable[[int], bool]) -> list[float]:
    """How long requests of an alias take, one after the other."""
    took: list[float] = []
    while not until(len(took)):
        began = time.perf_counter()
        assert get(proxy.address, "/api/0/organizations/", ALIAS).status == 200
        took.append(time.perf_counter() - began)
        time.sleep(REQUEST_PAUSE)
    return sorted(took)


def flood(start, polls: int, codes: int) -> tuple[list[float], list[float]]:
    """Floods from another process, so that it is not this one's own threads that are in the way.

    Returns how long other requests took in quiet and meanwhile.
    """
    proxy = start("--trusted-proxies", "127.0.0.1", "--access-log", "off", approval="admin")
    poll_in_a_flood(proxy.address, 100)
    quiet = seconds(proxy, lambda count: count == 200)
    before = metric(proxy, "process_resident_memory_bytes")
    began = time.monotonic()
    # Left early, it ends the process.
    with multiprocessing.get_context("fork").Pool(1) as pool:
        given = pool.apply_async(ask_in_a_flood, (proxy.address, codes))
        done = pool.apply_async(poll_in_a_flood, (proxy.address, polls))
        meanwhile = seconds(proxy, lambda _: done.ready())
        done.get()
        assert given.get() == 64
    took = time.monotonic() - began
    grown = metric(proxy, "process_resident_memory_bytes") - before
    print(f"{polls} polls and {codes} codes asked in {took:.0f} s, {(polls + codes) / took:.0f} a second: {grown >> 10} KiB more")
    assert metric(proxy, "sentry_api_proxy_device_polls_total") == polls + 100
    assert metric(proxy, 'sentry_api_proxy_device_events_total{event="asked"}') == 64
    if SANITIZER:
        print(f"memory growth is not judged: the {SANITIZER} sanitizer keeps memory of its own")
    # 64 codes and some buffers; a few dozen bytes kept of each poll would be more.
    assert SANITIZER or grown < 4 << 20
    assert get(proxy.address, "/api/0/organizations/", ALIAS).status == 200
    return quiet, meanwhile


def test_a_flood_is_bounded(start) -> None:
    flood(start, 300, 200)


@pytest.mark.campaign
def test_a_long_flood_is_bounded_and_others_are_served_meanwhile(start) -> None:
    quiet, meanwhile = (took[int(len(took) * 0.99)] for took in flood(start, 100_000, 10_000))
    print(f"p99 of other requests: {quiet * 1e3:.2f} ms in quiet, {meanwhile * 1e3:.2f} ms meanwhile, {meanwhile / quiet:.2f} times")
    assert meanwhile <= 2 * quiet
