#!/usr/bin/env bash
# sentry-cli repeats a POST after a 503, and does not wait for the time that Retry-After asks for.
#
# Why it matters: whatever stands between sentry-cli and Sentry and answers 502, 503 or 504 by itself (a time-out, say) makes the
# client do the same write again, up to five times within half a minute. A gateway's time-out for answers must therefore be longer than
# the work it waits for, and a Retry-After of a minute does not spare a server that is starting.
#
# Seen with sentry-cli 3.8.2: six POSTs of one `releases new`, all within 40 s, though each answer says Retry-After: 60.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check sentry-cli==3.8.2
cat > "$work/run.py" <<'PYTHON'
import http.server, os, subprocess, sys, threading, time

times = []

class Busy(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        times.append(time.monotonic())
        self.send_response(503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After", "60")
        self.send_header("Content-Length", "17")
        self.end_headers()
        self.wfile.write(b'{"detail":"busy"}')

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()
environment = {"PATH": os.environ["PATH"], "HOME": sys.argv[1], "SENTRY_URL": f"http://127.0.0.1:{server.server_port}",
               "SENTRY_AUTH_TOKEN": "0" * 64, "SENTRY_ORG": "acme", "SENTRY_PROJECT": "web"}
cli = f"{sys.argv[1]}/venv/bin/sentry-cli"
print(subprocess.run([cli, "--version"], env=environment, capture_output=True, text=True, timeout=20).stdout.strip())
subprocess.run([cli, "releases", "new", "1.0"], env=environment, capture_output=True, timeout=120)
span = times[-1] - times[0]
print(f"{len(times)} POSTs within {span:.0f} s, each answered 503 with Retry-After: 60")
sys.exit(0 if len(times) == 6 and span < 60 else 1)
PYTHON
python3 "$work/run.py" "$work"
