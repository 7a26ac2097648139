#!/usr/bin/env bash
# oauthlib's DeviceClient puts the device authorization request into the query of the address: client_id and scope, and a grant_type besides.
#
# Why it matters: RFC 8628 §3.1 has these parameters in a form in the body. A gateway that answers the device flow and reads the form, as
# it should, finds no client_id in a request from a script built on oauthlib and says invalid_request. The message must name where
# client_id is expected, and access logs must not keep the query of that path.
#
# Seen with oauthlib 4.0.1: for the same library's token request the parameters are in the body.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check oauthlib==4.0.1
cat > "$work/run.py" <<'PYTHON'
import sys
from urllib.parse import parse_qs, urlsplit
import oauthlib
from oauthlib.oauth2 import DeviceClient

client = DeviceClient("cli")
address = urlsplit(client.prepare_request_uri("https://sentry.example/oauth/device/code/", scope=["org:read", "event:read"]))
asked = parse_qs(address.query)
token = parse_qs(client.prepare_request_body("0" * 64, include_client_id=True))
print("oauthlib", oauthlib.__version__)
print("device authorization request, in the query:", asked)
print("its body: the method returns an address only; the token request's body names", sorted(token))
sys.exit(0 if set(asked) == {"client_id", "scope", "grant_type"} and "client_id" in token else 1)
PYTHON
"$work/venv/bin/python" "$work/run.py"
