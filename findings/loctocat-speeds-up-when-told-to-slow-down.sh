#!/usr/bin/env bash
# loctocat, a client of the device flow, polls without any pause from the first slow_down on, and does not stop doing so by itself.
#
# Why it matters: RFC 8628 §3.5 has the client add five seconds to its interval. This one adds nothing and leaves out the pause that it makes
# on authorization_pending, so the next poll comes at once, is too soon, and is told slow_down as well: one answer turns a poll in five
# seconds into a hundred a second, until the code expires ten minutes later. Whoever answers the device flow must bear that: a small and
# bounded cost for each poll, not only a polite answer, and a limit that counts the polls that came too soon.
#
# Seen with loctocat 1.0.3 (requests 2.34.2): after one slow_down hundreds of polls in two seconds, none a second after the last. MSAL
# 1.39.0 waits six seconds with the same server.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check loctocat==1.0.3 oauthlib==3.3.1 requests==2.34.2 msal==1.39.0
cat > "$work/run.py" <<'PYTHON'
import http.server, json, os, sys, threading, time
from importlib.metadata import version
from urllib.parse import urlsplit

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain http, to loopback
os.environ["NO_PROXY"] = "*"
import loctocat
from msal.oauth2cli.oauth2 import Client

interval = 1
polls = []

def judge():
    """What a server says to the poll that was noted last: the second one is told slow_down, and each that comes too soon."""
    if len(polls) > 1 and polls[-1] - polls[1] > 2:
        return {"error": "access_denied"}  # the end of the test
    too_soon = len(polls) == 2 or (len(polls) > 2 and polls[-1] - polls[-2] < interval)
    return {"error": "slow_down" if too_soon else "authorization_pending"}

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if urlsplit(self.path).path == "/oauth/token/":
            polls.append(time.monotonic())
            status, answer = 400, judge()
        else:
            status, answer = 200, {"device_code": "0" * 64, "user_code": "BCDF-GHJK", "verification_uri": f"{address}/oauth/device/",
                                   "expires_in": 600, "interval": interval}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"

def with_loctocat():
    try:
        loctocat.Authenticator("cli", f"{address}/oauth/device/code/", f"{address}/oauth/token/", ["org:read"]).authenticate(
            use_default_spinner=False)
    except loctocat.ServerError:  # access_denied
        pass

def with_msal():
    client = Client({"device_authorization_endpoint": f"{address}/oauth/device/code/", "token_endpoint": f"{address}/oauth/token/"}, "cli")
    client.obtain_token_by_device_flow(client.initiate_device_flow("org:read"))

def pauses(sign_in):
    polls.clear()
    sign_in()
    seen = [later - earlier for earlier, later in zip(polls[1:], polls[2:])]
    print(f"{sign_in.__name__[5:]}: {len(seen)} polls after slow_down, pauses of {min(seen):.3f} to {max(seen):.3f} s")
    return seen

print("loctocat", version("loctocat"), "oauthlib", version("oauthlib"), "requests", version("requests"), "msal", version("msal"))
fast, slow = pauses(with_loctocat), pauses(with_msal)
sys.exit(0 if len(fast) > 20 and max(fast) < interval and len(slow) == 1 and slow[0] > 5 else 1)
PYTHON
timeout 120 "$work/venv/bin/python" "$work/run.py"
