#!/usr/bin/env bash
# urllib3 with timeout=1 and nothing said of retries sleeps as long as Retry-After says, three times over, and repeats PUT and DELETE.
#
# Why it matters: one expects that nothing is repeated because of a status unless it was asked for (status_forcelist is empty), and that a
# time-out bounds the call. But 413, 429 and 503 with Retry-After are repeated by default, and the sleep is not part of any time-out. Clients that
# OpenAPI Generator writes use urllib3 like that, so a gateway's 429 with `Retry-After: 3600` makes a script stand still for three hours, without
# a word, and may have it killed from outside; six hours is the longest single sleep. A gateway should name short times, and an author of
# a client should set `retries`, as requests does (to 0).
#
# Seen with urllib3 2.8.0: with Retry-After: 2 a GET, a PUT and a DELETE take 6 s and four requests; a POST, or any of them without the
# field, ends at once; so does requests 2.34.2.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check urllib3==2.8.0 requests==2.34.2
cat > "$work/run.py" <<'PYTHON'
import http.server, sys, threading, time
import requests, urllib3

asked = 0

class Busy(http.server.BaseHTTPRequestHandler):
    def answer(self):
        global asked
        asked += 1
        status, retry_after = self.path.strip("/").split("/")
        self.send_response(int(status))
        if retry_after != "none":
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()
pool = urllib3.PoolManager()
session = requests.Session()
session.trust_env = False

def by_urllib3(method, address):
    return pool.request(method, address, timeout=1).status

def by_requests(method, address):
    return session.request(method, address, timeout=1).status_code

repeated = [(by_urllib3, method, status, "2") for status, method in ((413, "GET"), (429, "GET"), (503, "GET"), (429, "PUT"), (429, "DELETE"))]
once = [(by_urllib3, "POST", 429, "2"), (by_urllib3, "GET", 429, "none"), (by_urllib3, "GET", 500, "2"), (by_requests, "GET", 429, "2")]
print("urllib3", urllib3.__version__, "requests", requests.__version__)
expected = True
for case in repeated + once:
    call, method, status, retry_after = case
    asked, start = 0, time.monotonic()
    seen = call(method, f"http://127.0.0.1:{server.server_port}/{status}/{retry_after}")
    seconds = time.monotonic() - start
    print(f"{call.__name__[3:]:8} {method:6} {seen}, Retry-After {retry_after:4}: {asked} request(s), {seconds:.0f} s")
    expected = expected and seen == status and asked == (4 if case in repeated else 1) and (seconds >= 6) == (case in repeated)
sys.exit(0 if expected else 1)
PYTHON
timeout 200 "$work/venv/bin/python" "$work/run.py"
