"""The live page on the admin listener: what it says, what it never says, and how it is used."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.browser import BROWSER, Browser
from harness.client import Answer, ask, request
from harness.process import eventually
from harness.proxy import ROOT, Proxy, StartProxy
from harness.upstream import TOKEN, StandIn

needs_browser = pytest.mark.skipif(BROWSER is None, reason="neither chromium-headless-shell nor chromium is installed")
ALIAS = "alias-of-the-page-0123456789"
WARM_UP_SECONDS, MEASURED_SECONDS = 2, 10
# A name comes from a file: it must not become part of the page.
HOSTILE = "<script>alert(1)</script>&\"'x"


class Metrics:
    """Samples of /metrics, by name and labels."""

    def __init__(self, text: str) -> None:
        self.samples = [(name, dict(re.findall(r'(\w+)="((?:[^"\\\\]|\\\\.)*)"', labels)), float(value))
                        for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE)]

    def sum(self, name: str, **labels: str) -> float:
        return sum(value for found, have, value in self.samples if found == name and labels.items() <= have.items())


@pytest.fixture
def proxy(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path) -> Proxy:
    aliases = tmp_path / "aliases"
    aliases.write_text(f"ci {ALIAS} read-only org=acme rate=60/m:30 concurrency=5 expires=2099-01-31\n{HOSTILE} alias-of-somebody-0123456789\n")
    aliases.chmod(0o600)
    return start_proxy(stand_in.uri, "--alias-file", str(aliases), "--threads", "2")


def page(proxy: Proxy, path: str = "/") -> Answer:
    return ask(proxy.admin, request("GET", path))


def live(proxy: Proxy) -> dict[str, Any]:
    return json.loads(page(proxy, "/live").payload)  # type: ignore[no-any-return]


def live_until(proxy: Proxy, condition: Any) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def is_it() -> bool:
        found.append(live(proxy))
        return bool(condition(found[-1]))

    eventually(is_it, "the page says so", pause=0.2)
    return found[-1]


def call(proxy: Proxy, path: str, alias: str | None = ALIAS) -> Answer:
    return ask(proxy.address, request("GET", path, *([f"Authorization: Bearer {alias}"] if alias else [])))


def test_the_page_in_the_program_is_the_one_in_the_file() -> None:
    subprocess.run([sys.executable, ROOT / "Scripts/embed-page.py", "--check"], check=True, timeout=20)


def test_the_page_is_whole_without_a_script(proxy: Proxy) -> None:
    assert call(proxy, "/api/0/organizations/acme/projects/").status == 200
    refused = call(proxy, "/api/0/organizations/other/projects/")
    assert refused.status == 403
    live_until(proxy, lambda found: found["texts"]["requests.total"] == "2")
    answer = page(proxy)
    html = answer.payload.decode()
    assert answer.status == 200 and answer.value("content-type") == "text/html; charset=utf-8"
    assert '<b data-t="requests.total">2</b>' in html and "read-only in acme" in html and "2099-02-01T00:00:00Z" in html
    assert str(refused.value("X-Request-Id")) in html and ">organization<" in html
    assert re.search(r'<span data-t="token.health" data-s="token.health" data-state="good">ready</span>', html)
    # Every place that is to be filled has something in it.
    assert not re.findall(r'data-t="[^"]+"[^>]*></', html), re.findall(r'data-t="[^"]+"[^>]*></', html)


def test_what_is_shown_equals_the_metrics(proxy: Proxy) -> None:
    for _ in range(7):
        call(proxy, "/api/0/organizations/acme/projects/")
    for _ in range(3):
        call(proxy, "/api/0/organizations/other/projects/")
    call(proxy, "/api/0/", None)
    found = live_until(proxy, lambda found: found["texts"]["requests.total"] == "11")
    metrics = Metrics(page(proxy, "/metrics").payload.decode())
    for status in ("2xx", "3xx", "4xx", "5xx", "none"):
        assert int(found["texts"][f"requests.{status}"]) == metrics.sum("sentry_api_proxy_requests_total", status=status)
    row = {cells[0]: cells for cells in found["rows"]["aliases"]}["ci"]
    assert int(row[2]) == metrics.sum("sentry_api_proxy_alias_requests_total", alias="ci") == 10
    assert int(row[3]) == metrics.sum("sentry_api_proxy_policy_decisions_total", alias="ci", verdict="refused") == 3
    assert row[4] == "0" and re.match(r"\d+ of 30 \(1 a second, 30 at once\)", row[5]), row
    assert int(row[5].split()[0]) > 0
    accepted = sum(int(cells[2]) for cells in found["rows"]["workers"])
    assert len(found["rows"]["workers"]) == 2 and accepted == metrics.sum("sentry_api_proxy_connections_accepted_total")


def test_the_last_fifty_refusals_are_kept_with_their_ids(proxy: Proxy) -> None:
    ids = [call(proxy, "/api/0/organizations/acme/projects/?query=needle", f"sap_{number:043d}").value("X-Request-Id") for number in range(60)]
    shown = live_until(proxy, lambda found: found["texts"]["requests.4xx"] == "60")["rows"]["failures"]
    assert {cells[0] for cells in shown} == set(ids[-50:]) and len(shown) == 50
    assert {cells[3] for cells in shown} == {"alias_unknown"} and {cells[2] for cells in shown} == {"401"}


def test_a_request_in_flight_is_seen_and_goes(stand_in: StandIn, proxy: Proxy) -> None:
    with socket.create_connection(proxy.address, timeout=10) as held:
        held.sendall("POST /api/0/organizations/acme/projects/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alias-of-somebody-0123456789\r\n"
                     "Content-Length: 9\r\n\r\n".encode())
        found = live_until(proxy, lambda found: found["texts"]["requests.inFlight"] == "1")
        assert {cells[0]: cells[4] for cells in found["rows"]["aliases"]}[HOSTILE] == "1"
    found = live_until(proxy, lambda found: found["texts"]["requests.inFlight"] == "0")
    assert all(cells[4] == "0" for cells in found["rows"]["aliases"])


def test_neither_a_secret_nor_what_was_searched_is_in_any_byte(proxy: Proxy) -> None:
    call(proxy, "/api/0/organizations/acme/projects/?query=needle-in-a-query")
    call(proxy, "/api/0/organizations/other/needle-in-a-path/?query=needle-in-a-query")
    call(proxy, "/api/0/organizations/acme/projects/", "sap_withdrawn-alias-of-forty-seven-bytes-0123456")
    live_until(proxy, lambda found: found["texts"]["requests.total"] == "3")
    for path in ("/", "/live"):
        answer = page(proxy, path)
        assert not any(secret.encode() in answer.payload for secret in (TOKEN, ALIAS, "needle", "alias-of-somebody", "withdrawn-alias")), path
    html = page(proxy).payload.decode()
    assert HOSTILE not in html and "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;x" in html
    # The one script is the page's own.
    assert html.count("<script") == 1


def test_the_policy_lets_nothing_foreign_in(proxy: Proxy) -> None:
    answer = page(proxy)
    policy = dict(part.strip().partition(" ")[::2] for part in str(answer.value("content-security-policy")).split(";"))
    assert policy.keys() == {"default-src", "script-src", "style-src", "connect-src", "base-uri", "form-action", "frame-ancestors"}
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'" and "unsafe" not in str(policy)
    assert all(re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", policy[name]) for name in ("script-src", "style-src")), policy
    assert answer.value("x-content-type-options") == "nosniff"
    refused = ask(proxy.admin, request("GET", "/", host="rebound.example"))
    assert refused.status == 421
    assert ask(proxy.admin, request("POST", "/", "Content-Length: 0")).status == 405


def cpu_milliseconds(proxy: Proxy) -> dict[str, float]:
    """By thread."""
    found: dict[str, float] = {}
    for task in Path(f"/proc/{proxy.process.pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        found[name] = found.get(name, 0) + int((task / "schedstat").read_text().split()[0]) / 1e6
    return found


@pytest.mark.campaign
@pytest.mark.skipif(os.geteuid() != 0, reason="the program keeps others from looking into it")
def test_ten_browsers_cost_a_worker_less_than_a_hundredth(proxy: Proxy) -> None:
    """CPU time of a worker for ten that ask once a second, held against the second that it has for requests."""
    ended = threading.Event()

    def poll() -> None:
        while not ended.wait(1):
            live(proxy)

    pollers = [threading.Thread(target=poll) for _ in range(10)]
    for poller in pollers:
        poller.start()
    try:
        time.sleep(WARM_UP_SECONDS)
        began, before = time.monotonic(), cpu_milliseconds(proxy)
        time.sleep(MEASURED_SECONDS)
        after, seconds = cpu_milliseconds(proxy), time.monotonic() - began
    finally:
        ended.set()
        for poller in pollers:
            poller.join()
    workers = [(after[name] - before[name]) / seconds for name in after if name.startswith("worker")]
    print(f"CPU time for the page, ms a second: {max(workers):.2f} of a worker's 1000, {(after['admin'] - before['admin']) / seconds:.2f} of the admin's")
    assert after["admin"] > before["admin"] and len(workers) == 2
    assert max(workers) <= 10, workers


# Colours, from the variables of the style.


def colours() -> Iterator[tuple[str, dict[str, str]]]:
    style = (ROOT / "Sources/ProxyServer/Admin/LivePage.html").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    for scheme, block in (("light", light), ("dark", dark)):
        yield scheme, dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(colour[index:index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme, variables", colours(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_colour_of_text_stands_out(scheme: str, variables: dict[str, str]) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for name in ("text", "soft", "link", "good", "warn", "bad", "chart"):
        for ground in ("page", "card"):
            assert contrast(variables[name], variables[ground]) >= 4.5, (scheme, name, ground)


# In a browser.


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path / "profile") as opened:
        yield opened


def shown(browser: Browser, name: str) -> str:
    return str(browser.evaluate(f"document.querySelector('[data-t=\"{name}\"]').textContent"))


@needs_browser
@pytest.mark.parametrize("seconds", [10, pytest.param(2, marks=pytest.mark.campaign)])
def test_values_change_and_a_refusal_appears_within_seconds(proxy: Proxy, browser: Browser, seconds: int) -> None:
    browser.open(f"http://127.0.0.1:{proxy.admin[1]}/")
    assert shown(browser, "requests.total") == "0"
    for _ in range(5):
        call(proxy, "/api/0/organizations/acme/projects/")
    browser.until(lambda: shown(browser, "requests.total") == "5", "the values stay as they are")
    # From the refusal's answer to its row. It asks once a second, and an answer is at most 0.9 s old.
    refused = call(proxy, "/api/0/organizations/other/projects/")
    began = time.monotonic()
    browser.until(lambda: browser.evaluate("document.querySelector('[data-rows=failures]').textContent").find(refused.value("x-request-id")) >= 0,
                  "the refusal does not appear")
    took = time.monotonic() - began
    metrics = Metrics(page(proxy, "/metrics").payload.decode())
    assert int(shown(browser, "requests.total")) == metrics.sum("sentry_api_proxy_requests_total") == 6
    assert took < seconds, took
    assert browser.evaluate("document.querySelector('[data-rows=failures] td[data-label=Reason]').textContent") == "policy"
    # The name of an alias is text, whatever is in it.
    assert HOSTILE in browser.evaluate("document.querySelector('[data-rows=aliases]').textContent")
    assert browser.evaluate("document.scripts.length") == 1
    complaints = [event for event in browser.events if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
                  and "favicon" not in json.dumps(event)]
    assert not complaints, complaints


@needs_browser
def test_a_script_that_is_not_the_pages_own_is_refused(proxy: Proxy, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{proxy.admin[1]}/")
    browser.evaluate("""(() => { window.ran = 0; const node = document.createElement('script'); node.textContent = 'window.ran = 1';
        document.body.append(node); document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran = 2">'); })()""")
    browser.until(lambda: any("Content Security Policy" in json.dumps(event) for event in browser.events), "nothing was refused")
    assert browser.evaluate("window.ran") == 0


@needs_browser
def test_the_page_is_used_by_keyboard_and_read_aloud(proxy: Proxy, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{proxy.admin[1]}/")
    order = []
    for _ in range(5):
        browser.press("Tab", 9)
        order.append(browser.evaluate("document.activeElement.textContent"))
    assert order == ["Skip to the content", "Pause updates", "Metrics", "Status as JSON", "Readiness"], order
    browser.evaluate("document.getElementById('pause').focus()")
    browser.press("Enter", 13)
    assert browser.evaluate("document.getElementById('pause').getAttribute('aria-pressed')") == "true"
    call(proxy, "/api/0/organizations/acme/projects/")
    live_until(proxy, lambda found: found["texts"]["requests.total"] == "1")
    assert shown(browser, "requests.total") == "0"
    nodes = [node for node in browser.call("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
    roles = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes]
    names = {role: [name for found, name in roles if found == role] for role in {role for role, _ in roles}}
    assert names["heading"][0].startswith("sentry-api-proxy") and "Token" in names["heading"]
    assert {"Token", "Upstream", "Requests", "Aliases", "Last refusals and failures"} <= set(names["region"])
    assert names["image"] and names["image"][0].startswith("The last 15 minutes")
    assert {"Name", "May", "Requests", "Refused"} <= set(names["columnheader"]) and "ci" in names["rowheader"]
    assert all(names[role] and all(names[role]) for role in ("button", "link")), names
    assert browser.evaluate("document.documentElement.lang") == "en" and browser.evaluate("document.title")


@needs_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
def test_the_page_fits(proxy: Proxy, browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    for number in range(3):
        call(proxy, "/api/0/organizations/acme/projects/")
        call(proxy, f"/api/0/organizations/other-{number}/projects/")
    live_until(proxy, lambda found: found["texts"]["requests.total"] == "6")
    address = f"http://127.0.0.1:{proxy.admin[1]}/"
    for script in (True, False):
        browser.open(address, width=width, dark=dark, script=script)
        if script:
            assert browser.evaluate("document.documentElement.scrollWidth") <= width
            cut = browser.evaluate("[...document.querySelectorAll('dd, td, th, p, b')].filter((n) => n.scrollWidth > n.clientWidth + 1 && n.clientWidth > 1"
                                   " && getComputedStyle(n).display !== 'inline').map((n) => n.textContent)")
            assert cut == [], cut
        folder = Path(os.environ.get("PICTURES") or tmp_path)
        picture = folder / f"page-{width}-{'dark' if dark else 'light'}{'' if script else '-without-script'}.png"
        browser.picture(picture)
        assert picture.stat().st_size > 10_000
