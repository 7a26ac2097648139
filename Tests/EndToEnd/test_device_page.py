"""People's side of the device flow in a browser: the page that a program opens, and the operator's live page."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.browser import BROWSER, Browser
from harness.client import ask, request
from harness.device import EVERYTHING, ask_for_code, command, get, poll, starter
from harness.proxy import Proxy, StartProxy
from harness.upstream import StandIn

pytestmark = pytest.mark.skipif(BROWSER is None, reason="neither chromium-headless-shell nor chromium is installed")


@pytest.fixture
def start(stand_in: StandIn, start_proxy: StartProxy, tmp_path: Path):
    return starter(stand_in, start_proxy, tmp_path)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path / "profile") as browser:
        yield browser


def text(browser: Browser) -> str:
    return str(browser.evaluate("document.body ? document.body.textContent : ''"))


def click(browser: Browser, selector: str) -> None:
    """Clicks what loads another page, and waits for that."""
    browser.events.clear()
    # Not at once: the page may be gone before it has answered.
    browser.evaluate(f"void setTimeout(() => document.querySelector({json.dumps(selector)}).click(), 0)")
    browser.until(lambda: any(event.get("method") == "Page.loadEventFired" for event in browser.events), "no page comes")


def fill(browser: Browser, selector: str, typed: str) -> None:
    browser.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
    browser.call("Input.insertText", text=typed)


def complaints(browser: Browser) -> list[str]:
    kinds = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    return [found for event in browser.events if event.get("method") in kinds and "favicon" not in (found := json.dumps(event)) and "status of 4" not in found]


def test_a_person_with_an_approval_code_signs_a_program_in(start, browser: Browser, tmp_path: Path) -> None:
    proxy = start("--device-policy", "read-only org=acme", approval="code")
    code = ask_for_code(proxy.address, scope=EVERYTHING)
    browser.open(code["verification_uri_complete"], width=800)
    shown = text(browser)
    assert code["user_code"] in shown and "Approve only if you started this" in shown and "event:write" in shown
    folder = Path(os.environ.get("PICTURES") or tmp_path)
    browser.picture(folder / "device-page.png")
    assert not complaints(browser), "the page's own style is refused by its policy"
    assert browser.evaluate("getComputedStyle(document.querySelector('dt')).fontWeight") == "700"
    fill(browser, "input[name=approval_code]", "BBBB-BBBB")
    click(browser, "button[value=approve]")
    assert "Tries left: 4" in text(browser)
    assert poll(proxy.address, code["device_code"]).json == {"error": "authorization_pending"}
    browser.open(code["verification_uri_complete"])
    fill(browser, "input[name=approval_code]", command(proxy, "device", "passcode").stdout[:9].lower())
    click(browser, "button[value=approve]")
    assert "approved" in text(browser).lower(), text(browser)
    browser.open(code["verification_uri_complete"])
    assert "It is approved" in text(browser)
    assert browser.evaluate("document.scripts.length") == 0
    assert code["device_code"] not in text(browser)


def test_a_code_is_typed_and_a_wrong_one_shows_nobody(start, browser: Browser) -> None:
    proxy = start(approval="admin")
    code = ask_for_code(proxy.address)
    browser.open(code["verification_uri"])
    # With the first frame after the page has loaded.
    browser.until(lambda: browser.evaluate("document.activeElement.name") == "user_code", "the code's field has no focus")
    fill(browser, "input[name=user_code]", "WDJB-MJHT" if code["user_code"] != "WDJB-MJHT" else "WDJB-MJHZ")
    click(browser, "button")
    assert "There is no such code now" in text(browser)
    fill(browser, "input[name=user_code]", "<b>what</b>")
    click(browser, "button")
    assert "That is no code" in text(browser) and browser.evaluate("document.querySelectorAll('b').length") == 0
    fill(browser, "input[name=user_code]", code["user_code"].lower().replace("-", " "))
    click(browser, "button")
    assert f"sentry-api-proxy device approve {code['user_code']}" in text(browser)
    assert browser.evaluate("document.forms.length") == 0, "without an approval code it approves nothing"


class Elsewhere(BaseHTTPRequestHandler):
    """A page of another site with a form that sends itself."""

    form = b""

    def do_GET(self) -> None:  # noqa: N802
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.form)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def elsewhere() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["another site", "another origin of the same site"])
def test_a_form_of_another_site_approves_nothing(start, browser: Browser, elsewhere: int, host: str) -> None:
    proxy = start(approval="code")
    code = ask_for_code(proxy.address)
    passcode = command(proxy, "device", "passcode").stdout[:9]
    Elsewhere.form = (f'<form method="post" action="http://127.0.0.1:{proxy.port}/oauth/device/"><input name="user_code" value="{code["user_code"]}">'
                      f'<input name="approval_code" value="{passcode}"><button name="decision" value="approve">x</button></form>').encode()
    browser.open(f"http://{host}:{elsewhere}/")
    click(browser, "button")
    assert browser.evaluate("location.port") == str(proxy.port), "the browser has sent it"
    assert "This form was sent from another site" in text(browser), text(browser)
    assert poll(proxy.address, code["device_code"]).json == {"error": "authorization_pending"}
    # Nor is the page shown within another.
    Elsewhere.form = f'<iframe src="{code["verification_uri_complete"]}"></iframe>'.encode()
    browser.open(f"http://{host}:{elsewhere}/?frame")
    browser.until(lambda: any("frame" in json.dumps(event).lower() and ("X-Frame-Options" in json.dumps(event) or "frame-ancestors" in json.dumps(event))
                              for event in browser.events), "the frame is not refused")


def admin_page(proxy: Proxy) -> str:
    return f"http://127.0.0.1:{proxy.admin[1]}/"


def rows(browser: Browser) -> list[list[str]]:
    found: list[list[str]] = browser.evaluate("[...document.querySelectorAll('[data-rows=waiting] tr')].map((row) => [...row.cells].map((cell) => cell.textContent))")
    return found


def decided(browser: Browser) -> str:
    browser.until(lambda: browser.evaluate("document.getElementById('decided').textContent"), "nothing is said of it")
    return str(browser.evaluate("document.getElementById('decided').textContent"))


def test_an_operator_approves_and_denies_on_the_live_page(start, browser: Browser, tmp_path: Path) -> None:
    proxy = start("--device-policy", "read-only", approval="admin")
    browser.open(admin_page(proxy))
    assert browser.evaluate("document.querySelector('[data-t=\"device.caption\"]').textContent") == "Nobody waits."
    first, second = ask_for_code(proxy.address, scope=EVERYTHING, client="<b>x</b>"), ask_for_code(proxy.address)
    browser.until(lambda: len(rows(browser)) == 2, "who asks is not shown")
    # Two of one second stand in any order.
    row = next(row for row in rows(browser) if row[1].startswith("<b>"))
    assert row[0] == f"{first['user_code'][:4]}-…." and row[1] == "<b>x</b> (node)" and row[2] == "127.0.0.1", row
    assert "event:write" in row[4] and "read-only" in row[5] and "event:write" in row[6], row
    assert browser.evaluate("document.querySelectorAll('[data-rows=waiting] b').length") == 0
    page = ask(proxy.admin, request("GET", "/live")).payload.decode() + ask(proxy.admin, request("GET", "/")).payload.decode()
    assert not [code for code in (first, second) if code["user_code"] in page or code["device_code"] in page]
    browser.evaluate("document.getElementById('approve').click()")
    assert decided(browser) == "Type the code first."
    fill(browser, "#code", "WDJB-MJHT")
    browser.evaluate("document.getElementById('approve').click()")
    browser.until(lambda: "there is no such code" in decided(browser), "a wrong code")
    browser.evaluate("document.getElementById('code').value = ''")
    fill(browser, "#code", first["user_code"].lower())
    browser.evaluate("document.getElementById('approve').click()")
    browser.until(lambda: decided(browser).startswith("approved: alias device-"), "it is not approved")
    assert browser.evaluate("document.getElementById('code').value") == ""
    browser.until(lambda: [row[0][:4] for row in rows(browser) if "approved" in row[3]] == [first["user_code"][:4]], "it is not shown")
    fill(browser, "#code", second["user_code"])
    browser.evaluate("document.getElementById('deny').click()")
    browser.until(lambda: decided(browser) == "denied", "it is not denied")
    alias = poll(proxy.address, first["device_code"], client="<b>x</b>").json["access_token"]
    assert get(proxy.address, "/api/0/auth/", alias).status == 200
    assert poll(proxy.address, second["device_code"]).json == {"error": "access_denied"}
    browser.until(lambda: not rows(browser), "who has an answer still waits")
    assert not complaints(browser), complaints(browser)


@pytest.mark.parametrize("width", [360, 1600])
def test_the_list_of_who_asks_fits(start, browser: Browser, tmp_path: Path, width: int) -> None:
    proxy = start(approval="admin")
    ask_for_code(proxy.address, scope=EVERYTHING, client="w" * 64)
    browser.open(admin_page(proxy), width=width)
    browser.until(lambda: len(rows(browser)) == 1, "who asks is not shown")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    cut = browser.evaluate("[...document.querySelectorAll('dd, td, th, p, b, button, input, label')].filter((n) => n.scrollWidth > n.clientWidth + 1"
                           " && n.clientWidth > 1 && getComputedStyle(n).display !== 'inline').map((n) => n.textContent)")
    assert cut == [], cut
    browser.picture(Path(os.environ.get("PICTURES") or tmp_path) / f"waiting-{width}.png")
    nodes = [node for node in browser.call("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
    names = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes}
    assert {("textbox", "Code that the program shows"), ("button", "Approve"), ("button", "Deny"), ("region", "Who asks for an alias")} <= names


def test_without_script_or_beside_the_guard_there_are_no_buttons(start, browser: Browser, tmp_path: Path) -> None:
    proxy = start(approval="admin")
    ask_for_code(proxy.address)
    buttons = "[...document.querySelectorAll('#approve, #deny')].filter((button) => button.getClientRects().length).length"
    browser.open(admin_page(proxy), script=False)
    # The browser's own tools run even so.
    assert browser.evaluate(buttons) == 0 and len(rows(browser)) == 1
    (tmp_path / "secret").write_text("s" * 64)
    guarded = start("--admin-token-file", str(tmp_path / "secret"), approval="admin")
    browser.open(admin_page(guarded))
    assert browser.evaluate(buttons) == 0
    assert "device approve CODE" in browser.evaluate("document.querySelector('[data-t=\"device.how\"]').textContent")
    off = ask(guarded.admin, request("GET", "/live")).json["states"]
    assert (off["device.flow"], off["device.decide"]) == ("on", "off")
