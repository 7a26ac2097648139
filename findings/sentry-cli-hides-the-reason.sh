#!/usr/bin/env bash
# sentry-cli shows the reason of a refusal only from a JSON object with a single key.
#
# Why it matters: sentry-cli sends `Accept: */*`. A gateway that answers it in plain text, in application/problem+json (RFC 9457) or in
# JSON with a second key leaves its user with "unknown error" or a dump: the sentence that says what to do is lost. RFC 9457 is the form
# that one would reach for.
#
# Seen with sentry-cli 3.8.2: of four 403 answers with the same sentence only application/json with the one key `detail` is shown.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check sentry-cli==3.8.2
cat > "$work/run.py" <<'PYTHON'
import http.server, json, os, subprocess, sys, threading

REASON = "this key may only upload"
ANSWERS = {
    "one key": ("application/json", json.dumps({"detail": REASON})),
    "two keys": ("application/json", json.dumps({"detail": REASON, "code": "refused"})),
    "problem+json": ("application/problem+json", json.dumps({"detail": REASON})),
    "plain text": ("text/plain", REASON),
}
current = None

class Refusal(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind, body = current
        self.send_response(403)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
threading.Thread(target=server.serve_forever, daemon=True).start()
environment = {"PATH": os.environ["PATH"], "HOME": sys.argv[1], "SENTRY_URL": f"http://127.0.0.1:{server.server_port}",
               "SENTRY_AUTH_TOKEN": "0" * 64, "SENTRY_ORG": "acme", "SENTRY_PROJECT": "web"}
shown = {}
for name, current in ANSWERS.items():
    run = subprocess.run([f"{sys.argv[1]}/venv/bin/sentry-cli", "repos", "list"], env=environment, capture_output=True, text=True, timeout=60)
    causes = [line.strip() for line in run.stderr.splitlines() if line.strip()]
    line = next((line for line in causes if "403" in line), causes[0] if causes else "")
    shown[name] = f"sentry reported an error: {REASON}" in run.stderr or f"{REASON} (http status: 403)" in run.stderr
    print(f"{name:13} -> {line}")
sys.exit(0 if shown == {"one key": True, "two keys": False, "problem+json": False, "plain text": False} else 1)
PYTHON
python3 "$work/run.py" "$work"
