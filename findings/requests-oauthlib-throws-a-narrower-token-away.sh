#!/usr/bin/env bash
# requests-oauthlib raises an exception, of the class Warning, when the token that it was given has a narrower scope than it asked for.
#
# Why it matters: a gateway that answers the device flow grants less than the client asks for; that is what it is there for, and RFC 6749
# §5.1 then requires it to name the scope. A script built on requests-oauthlib loses the token that was just issued, and the
# device code has been used up; `except OAuth2Error` does not catch it. Authlib takes the same answer. Who writes such a client asks for the
# scopes that will be granted, or sets OAUTHLIB_RELAX_TOKEN_SCOPE.
#
# Seen with requests-oauthlib 2.0.0 on oauthlib 4.0.1, and Authlib 1.9.10.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check requests-oauthlib==2.0.0 oauthlib==4.0.1 authlib==1.9.10 requests==2.34.2
cat > "$work/run.py" <<'PYTHON'
import http.server, json, os, sys, threading
import authlib, oauthlib, requests_oauthlib
from authlib.integrations.requests_client import OAuth2Session
from oauthlib.oauth2 import DeviceClient, OAuth2Error

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain http, to loopback
os.environ.pop("OAUTHLIB_RELAX_TOKEN_SCOPE", None)
grant = "urn:ietf:params:oauth:grant-type:device_code"
answer = {"access_token": "0" * 64, "token_type": "Bearer", "expires_in": 3600, "scope": "org:read"}

class Token(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

def with_oauthlib():
    session = requests_oauthlib.OAuth2Session(client=DeviceClient("cli", scope=["org:read", "event:read"]))
    return session.fetch_token(address, device_code="0" * 64, include_client_id=True)["scope"]

def with_authlib():
    session = OAuth2Session("cli", scope="org:read event:read", token_endpoint_auth_method="none")
    return session.fetch_token(address, grant_type=grant, device_code="0" * 64)["scope"]

def outcome(fetch):
    try:
        return "token with scope", fetch()
    except OAuth2Error as error:
        return "OAuth2Error", str(error)
    except Warning as error:
        return "Warning raised", str(error)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Token)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/oauth/token/"
first, second = outcome(with_oauthlib), outcome(with_authlib)
print("requests-oauthlib", requests_oauthlib.__version__, "oauthlib", oauthlib.__version__, first)
print("authlib", authlib.__version__, second)
sys.exit(0 if first[0] == "Warning raised" and second == ("token with scope", "org:read") else 1)
PYTHON
"$work/venv/bin/python" "$work/run.py"
